-- The record if no epoch has moved past it; the rest is for the caller to judge.
local record = redis.call('HGETALL', session)
local user, seen
for at = 1, #record, 2 do
  local field = record[at]
  if field == 'u' then
    user = record[at + 1]
  elseif field == 'e' then
    seen = record[at + 1]
  end
end
if (not seen or #seen == 16) and revoked(seen, user) then
  return false
end
return packed(record)
