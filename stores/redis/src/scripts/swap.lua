-- KEYS[3]: the schedule. ARGV: proof, expected revision, new one, deadline, lifetime, user; fields
-- and values.
local proof, expected, revision, deadline, lifetime, user = unpack(ARGV, 3, 8)
local r, why = read()
if not r then
  return why
end
if not r.alive or not accepts(r, proof) then
  return 0
end
-- The driver may have sent it twice.
if r.revision == revision then
  return { 1, false }
end
if r.revision ~= expected then
  return 2
end
local seen = r.seen
if (r.user or '') ~= user then
  seen = stamp(seen and struct.unpack('>I8', seen) or 0, user ~= '' and user)
end
redis.call('DEL', session)
change('HSET', ARGV, 9)
if seen then
  redis.call('HSET', session, 'e', seen)
end
expire(deadline)
redis.call('ZADD', KEYS[3], 'LT', deadline, name())
redis.call('ZADD', KEYS[3], 'LT', '-' .. lifetime, '')
return { 1, r.user }
