-- KEYS[3]: the schedule. ARGV: proof, the user whose session it has to be or nothing.
local proof, user = unpack(ARGV, 3, 4)
local r, why = read()
if r then
  local former = r.former
    and r.former:sub(1, 32) == proof
    and now < struct.unpack('>I8', r.former, 33)
  if not r.alive or not (proof == '' or former or accepts(r, proof)) then
    return 0
  end
elseif why == 0 then
  return 0
else
  -- Nobody can read it; whoever has its proof may clear it away.
  local p, u = unpack(redis.call('HMGET', session, 'p', 'u'))
  if proof ~= '' and p ~= proof then
    return 0
  end
  r = { user = u }
end
if user ~= '' and r.user ~= user then
  return 0
end
redis.call('DEL', session)
redis.call('ZREM', KEYS[3], name())
return { 1, r.user }
