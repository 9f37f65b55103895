-- KEYS[3]: the schedule. ARGV: proof; then a commit, or several that change data alone, with an
-- empty argument between two. A commit: its id, revision and the new deadline or 0; the settled
-- commits; nothing, or `+` and five more if it does more than change data; then perhaps `clear`, a
-- number and so many fields that stay; and an operation, a field and its arguments for each step.
--
-- All of a commit is checked before the first write: a script that fails halfway is not undone. Of
-- several, the first that is not simply done is the last that this call looks at.
--
-- Each call makes its functions anew, so what is needed once stands where it is needed.
--
-- The answer is that to the commit. To several it is 1 if all are done, or else a list with the
-- answers to those that were looked at.
local proof, at = ARGV[3], 4
local HORIZON, FORMER_GRACE, PENDING_GRACE = 10000, 120000, 60000
local LONGEST = 4194304
local GONE, DONE, ALREADY, STALE, TOO_LARGE = 0, 1, 2, 3, 4

-- With the value that the first step looks at: most patches have one step.
local looks = ARGV[7] == 'add' or ARGV[7] == 'push' or ARGV[7] == 'replace'
local ahead = ARGV[6] == '' and looks and ARGV[8]
local r, why = read(ahead)
if not r then
  return why
end
if not r.alive then
  return GONE
end

-- The commits to be written and what they have settled; the fields and what they become, false if
-- they go; and what the server is to add to others.
local done, settled, news, sums = {}, '', {}, nil
local was, seen_before, before = r.user, r.last_seen, math.min(r.idle_deadline, r.absolute)
local answer, number, more, step, revision = DONE, 0, nil, nil, nil
repeat
  number = number + 1
  local id, its_revision, till = struct.unpack('>c16c8I8', ARGV[at])
  local forgets = ARGV[at + 1]
  more = ARGV[at + 2] == '+' and at + 3
  at = more and at + 8 or at + 3
  local survives = ARGV[at] == 'clear' and {}
  if survives then
    local first = at + 2
    at = first + ARGV[at + 1]
    for kept = first, at - 1 do
      survives[ARGV[kept]] = true
    end
  end
  step = at

  if done[id] or place(r.commits, id) then
    answer = ALREADY
  elseif not accepts(r, proof) then
    answer = GONE
  end
  local puts = {}
  while answer == DONE and at <= #ARGV and ARGV[at] ~= '' do
    local operation, field, operand = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    if survives then
      survives[field] = true
    end
    if operation == 'set' then
      puts[field] = operand
    elseif operation == 'remove' then
      puts[field] = false
      at = at - 1
    else
      local value = news[field]
      if value == nil then
        if field == ahead then
          value = r.value
        else
          value = redis.call('HGET', session, field)
        end
      end
      if operation == 'add' then
        local digits = not value and '' or value == '0' and value or value:match('^%-?([1-9]%d*)$')
        if digits and #digits <= 15 and #operand <= 15 then
          puts[field] = text((value or 0) + operand)
        elseif digits and #digits <= 18 then
          -- Beyond what Lua adds exactly; integers of 18 digits cannot overflow.
          sums = sums or {}
          sums[#sums + 1] = { field, operand }
        else
          answer = STALE
        end
      elseif operation == 'replace' then
        if (value or '') ~= operand then
          answer = STALE
        end
        puts[field] = ARGV[at] ~= '' and ARGV[at]
        at = at + 1
      elseif not value then
        puts[field] = '[' .. operand .. ']'
      elseif #value + #operand > LONGEST then
        answer = TOO_LARGE
      elseif value:byte(1) ~= 91 or value:byte(-1) ~= 93 then
        answer = STALE
      else
        local first, last = value:find('%S', 2), #value - 1
        while last > 1 and value:find('^%s', last) do
          last = last - 1
        end
        local comma = (first > last or operand == '') and '' or ','
        puts[field] = '[' .. value:sub(first, last) .. comma .. operand .. ']'
      end
    end
  end

  if answer == DONE then
    at = at + 1
    done[#done + 1], done[id], revision = id, true, its_revision
    settled = settled .. forgets
    if survives then
      for _, field in ipairs(redis.call('HKEYS', session)) do
        if field:byte() == 61 and not survives[field] then
          puts[field] = false
        end
      end
    end
    if number == 1 then
      news = puts
    else
      for field, new in pairs(puts) do
        news[field] = new
      end
    end
    if more then
      local lifetimes, proofs, user, authenticated = unpack(ARGV, more + 1, more + 4)
      if lifetimes ~= '' then
        local idle, absolute = lifetimes:match('^(%d*) (%d*)$')
        if absolute ~= '' then
          r.absolute = tonumber(absolute)
          r.idle_deadline = math.min(r.idle_deadline, r.absolute)
        end
        if idle ~= '' then
          r.idle = tonumber(idle)
          r.idle_deadline = math.min(r.absolute, now + r.idle)
          r.last_seen = math.max(r.last_seen, now)
        end
      end
      local kind, new = proofs:sub(1, 1), proofs:sub(2)
      if kind == 'r' then
        news.f = r.proof and r.proof .. struct.pack('>I8', now + FORMER_GRACE)
      elseif kind == 'p' then
        if not r.pending or now - struct.unpack('>I8', r.pending, 33) >= PENDING_GRACE then
          news.n = new .. struct.pack('>I8', now)
        end
      end
      if kind == 'r' or (kind == 'c' and r.pending and r.pending:sub(1, 32) == new) then
        news.n, news.p = false, new
        r.renewed = now
      end
      if user ~= '' then
        r.user = user:byte() == 43 and user:sub(2) or false
        news.u, news.a = r.user, r.user and struct.pack('>I8', tonumber(authenticated))
        if r.user ~= was then
          news.e = stamp(r.seen and struct.unpack('>I8', r.seen) or 0, r.user)
        end
      end
    end
    if till > 0 then
      touch(r, till)
    end
  end
until answer ~= DONE or sums or at > #ARGV
if answer ~= DONE then
  sums = nil
end

if #done > 0 then
  -- The oldest stand first. Lua reads each string that it makes to its end, so few long ones are made.
  local commits, first = r.commits, 1
  while first < #commits and now - struct.unpack('>I8', commits, first + 16) >= HORIZON do
    first = first + 24
  end
  local places, kept = {}, {}
  for from = 1, #settled, 16 do
    places[#places + 1] = place(commits, settled:sub(from, from + 15))
  end
  table.sort(places)
  for _, here in ipairs(places) do
    if here > first then
      kept[#kept + 1] = commits:sub(first, here - 1)
    end
    first = math.max(first, here + 24)
  end
  if first < #commits then
    kept[#kept + 1] = first == 1 and commits or commits:sub(first)
  end
  local at_now = struct.pack('>I8', now)
  for _, id in ipairs(done) do
    kept[#kept + 1] = id
    kept[#kept + 1] = at_now
  end

  local deadline = math.min(r.idle_deadline, r.absolute)
  local puts, drops = { 'k', table.concat(kept), 't', pack_times(r, revision) }, {}
  for field, new in pairs(news) do
    if new then
      puts[#puts + 1] = field
      puts[#puts + 1] = new
    else
      drops[#drops + 1] = field
    end
  end
  change('HDEL', drops, 1)
  change('HSET', puts, 1)
  for _, sum in ipairs(sums or {}) do
    redis.call('HINCRBY', session, sum[1], sum[2])
  end
  if deadline ~= before then
    expire(deadline)
  end
  if deadline < before then
    redis.call('ZADD', KEYS[3], 'LT', text(deadline), name())
  end
end

local together = number > 1 or at <= #ARGV
if answer ~= DONE then
  -- What the steps look at.
  local arity = { set = 3, remove = 2, add = 3, push = 3, replace = 4 }
  local fields, found = { 't', 'p', 'n', 'k' }, {}
  while step <= #ARGV and ARGV[step] ~= '' do
    fields[#fields + 1] = ARGV[step + 1]
    step = step + arity[ARGV[step]]
  end
  together = number > 1 or step <= #ARGV
  if answer == ALREADY then
    answer = { ALREADY, packed(redis.call('HGETALL', session)) }
  elseif answer == STALE then
    for _, field in ipairs(fields) do
      local value = redis.call('HGET', session, field)
      if value then
        found[#found + 1] = field
        found[#found + 1] = value
      end
    end
    answer = { STALE, packed(found) }
  end
else
  local changed, wanted = r.user ~= was, more and ARGV[more] ~= ''
  local due = r.user
    and ((more and ARGV[more + 3] ~= '')
      or math.floor(seen_before / 60000) ~= math.floor(r.last_seen / 60000))
  if due or changed or wanted then
    answer = {
      DONE,
      due and r.user,
      changed and was,
      text(r.absolute),
      wanted and packed(redis.call('HGETALL', session)),
    }
  end
end

if not together then
  return answer
end
if answer == DONE and at > #ARGV then
  return DONE
end
local answers = {}
for one = 1, number - 1 do
  answers[one] = DONE
end
answers[number] = answer
return answers
