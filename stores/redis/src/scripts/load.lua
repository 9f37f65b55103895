-- The record if no epoch has moved past it; the rest is for the caller to judge. In one piece, since
-- a reply of many is much more work for whoever reads it.
local u, e = unpack(redis.call('HMGET', session, 'u', 'e'))
if (not e or #e == 16) and revoked(e, u) then
  return false
end
local fields = redis.call('HGETALL', session)
return #fields > 0 and cmsgpack.pack(fields)
