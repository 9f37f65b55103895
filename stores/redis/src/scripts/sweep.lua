-- KEYS[1]: the schedule, then sessions. ARGV[1] is the time, then the names of these sessions.
local schedule, now, swept = KEYS[1], tonumber(ARGV[1]), 0
for at = 2, #KEYS do
  local name, t = ARGV[at], redis.pcall('HGET', KEYS[at], 't')
  if type(t) == 'string' and t:byte() == 1 and #t == 57 then
    local idle, absolute = struct.unpack('>I8I8', t, 34)
    local deadline = math.min(idle, absolute)
    if deadline <= now then
      redis.call('DEL', KEYS[at])
      redis.call('ZREM', schedule, name)
      swept = swept + 1
    else
      redis.call('ZADD', schedule, string.format('%.0f', deadline), name)
    end
  else
    -- Gone by itself, or nothing that could be read.
    redis.call('ZREM', schedule, name)
  end
end
return swept
