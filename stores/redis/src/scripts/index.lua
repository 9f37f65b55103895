-- KEYS[1]: the sessions of a user, by absolute deadline. ARGV: the time, deadline, name.
local index, now, deadline, name = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
redis.call('ZADD', index, deadline, name)
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
local last = redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2]
if last then
  redis.call('PEXPIREAT', index, string.format('%.0f', tonumber(last) + 600000))
end
return 1
