-- The record if no epoch has moved past it; the rest is for the caller to judge.
local u, e = unpack(redis.call('HMGET', session, 'u', 'e'))
if (not e or #e == 16) and revoked(e, u) then
  return false
end
return packed(redis.call('HGETALL', session))
