-- What scripts about one session share. KEYS[1] is the session and KEYS[2] the epochs of its bucket;
-- ARGV[1] is the namespace.
local session, epochs, namespace = KEYS[1], KEYS[2], ARGV[1]

-- A list in one piece, since a reply of many is much more work for whoever reads it.
local function packed(fields)
  return #fields > 0 and cmsgpack.pack(fields)
end

local function epoch(member)
  return tonumber(redis.call('ZSCORE', epochs, member) or 0)
end

-- Whether an epoch has moved past what the record has seen.
local function revoked(seen, user)
  local everybody, theirs = 0, 0
  if seen then
    everybody, theirs = struct.unpack('>I8I8', seen)
  end
  return epoch(namespace) > everybody
    or (user and epoch(namespace .. '\0' .. user) > theirs)
end
