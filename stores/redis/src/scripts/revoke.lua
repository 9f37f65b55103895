-- KEYS: the epochs and the schedule of a bucket. ARGV: the time, whose epoch.
local epochs, schedule = KEYS[1], KEYS[2]
local now, member = tonumber(ARGV[1]), ARGV[2]
local DAY = 86400000

local function text(number)
  return string.format('%.0f', number)
end

-- No session was ever here.
local longest = redis.call('ZSCORE', schedule, '')
if not longest then
  return 0
end
local lifetime = -tonumber(longest)
local before = tonumber(redis.call('ZSCORE', epochs, member) or 0)
redis.call('ZADD', epochs, text(math.max(before + 1, now)), member)
-- What began before an epoch has ended once the longest lifetime has passed since.
redis.call('ZREMRANGEBYSCORE', epochs, '-inf', '(' .. text(now - lifetime - DAY))
redis.call('PEXPIREAT', epochs, text(now + lifetime + DAY))
return 1
