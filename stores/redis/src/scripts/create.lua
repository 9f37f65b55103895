-- KEYS[3]: the schedule. ARGV: commit id, deadline, lifetime, user; fields and values.
local commit, deadline, lifetime, user = unpack(ARGV, 3, 6)
local r, why = read()
if not r and why ~= 0 then
  return why
end
if r and r.alive then
  return commit ~= '' and place(r.commits, commit) and 1 or 0
end
local seen = stamp(epoch(namespace), user ~= '' and user)
redis.call('DEL', session)
change('HSET', ARGV, 7)
if seen then
  redis.call('HSET', session, 'e', seen)
end
expire(deadline)
redis.call('ZADD', KEYS[3], deadline, name())
redis.call('ZADD', KEYS[3], 'LT', '-' .. lifetime, '')
return 1
