-- ARGV: proof, until, revision.
local proof, till, revision = unpack(ARGV, 3, 5)
local r, why = read()
if not r then
  return why
end
if not r.alive or not accepts(r, proof) then
  return 0
end
local minute = math.floor(r.last_seen / 60000)
touch(r, tonumber(till))
redis.call('HSET', session, 't', pack_times(r, revision))
expire(math.min(r.idle_deadline, r.absolute))
if minute == math.floor(r.last_seen / 60000) then
  return { 1, false, 0 }
end
return { 1, r.user, text(r.absolute) }
