--[[
The address book: which node holds which pod CIDR. One script, so that no two processes ever see the same slice free.

KEYS[1]  hash pod CIDR -> record: eight fields, one a line
           state      claimed (a change asks for it) | held (a member, or about to be) | resting (removed, not free yet)
           change     id of the change that claimed it
           node       the node's name
           address    the node's address
           at         when it was claimed, ms since 1970
           until      resting: not free before this, ms since 1970; else 0
           owing      resting: peers that may still route it, names with commas between
           spec       the node as asked for, JSON, never looked into here
KEYS[2]  hash node name -> node JSON: the inventory. Members block their slice even if their lease were lost.
ARGV[1]  what to do; the rest depends on it, see each function
Answers: a list of texts, the first of which says what came out.
]]

local function split(text, separator)
  local parts = {}
  for part in (text .. separator):gmatch('(.-)' .. separator) do parts[#parts + 1] = part end
  return parts
end

local function number(address)
  local a, b, c, d = address:match('^(%d+)%.(%d+)%.(%d+)%.(%d+)$')
  return ((tonumber(a) * 256 + tonumber(b)) * 256 + tonumber(c)) * 256 + tonumber(d)
end

-- First and last address.
local function range(cidr)
  local base, length = cidr:match('^([%d.]+)/(%d+)$')
  return number(base), number(base) + 2 ^ (32 - tonumber(length)) - 1
end

local function dotted(value)
  local d = value % 256
  local c = math.floor(value / 256) % 256
  local b = math.floor(value / 65536) % 256
  local a = math.floor(value / 16777216)
  return string.format('%d.%d.%d.%d', a, b, c, d)
end

local function parse(cidr, text)
  local part = split(text, '\n')
  return {
    cidr = cidr, state = part[1], change = part[2], node = part[3], address = part[4],
    at = part[5], untilMs = tonumber(part[6]), owing = part[7], spec = part[8],
  }
end

local function render(lease)
  return table.concat({
    lease.state, lease.change, lease.node, lease.address,
    lease.at, string.format('%.0f', lease.untilMs), lease.owing, lease.spec,
  }, '\n')
end

local function save(lease) redis.call('HSET', KEYS[1], lease.cidr, render(lease)) end

local function read(cidr)
  local text = redis.call('HGET', KEYS[1], cidr)
  return text and parse(cidr, text)
end

local function all()
  local flat = redis.call('HGETALL', KEYS[1])
  local leases = {}
  for i = 1, #flat, 2 do leases[#leases + 1] = parse(flat[i], flat[i + 1]) end
  return leases
end

local function isRested(lease, now)
  return lease.state == 'resting' and lease.owing == '' and lease.untilMs <= now
end

-- An adoption has as many as nodes, every other change one.
local function ofChange(change)
  local leases = {}
  for _, lease in ipairs(all()) do
    if lease.change == change and lease.state ~= 'resting' then leases[#leases + 1] = lease end
  end
  return leases
end

-- Appends a cidr, record pair for each lease.
local function append(answer, leases)
  for _, lease in ipairs(leases) do
    answer[#answer + 1] = lease.cidr
    answer[#answer + 1] = render(lease)
  end
  return answer
end

-- Leases that still hold something; rested ones are forgotten.
local function current(now)
  local leases = {}
  for _, lease in ipairs(all()) do
    if isRested(lease, now) then
      redis.call('HDEL', KEYS[1], lease.cidr)
    else
      leases[#leases + 1] = lease
    end
  end
  return leases
end

-- Members of the inventory in the form of leases. The JSON is our own, of checked texts: no quotes within, so a pattern reads it.
local function members()
  local nodes = {}
  for _, json in ipairs(redis.call('HVALS', KEYS[2])) do
    nodes[#nodes + 1] = {
      cidr = json:match('"podCidr":"([^"]*)"'), state = 'held', change = '', node = json:match('"name":"([^"]*)"'),
      address = json:match('"address":"([^"]*)"'), at = '0', untilMs = 0, owing = '', spec = json,
    }
  end
  return nodes
end

local function memberWith(cidr)
  for _, member in ipairs(members()) do
    if member.cidr == cidr then return member end
  end
end

local function full(leases)
  local resting, soonest = 0, 0
  for _, lease in ipairs(leases) do
    if lease.state == 'resting' then
      resting = resting + 1
      if lease.owing == '' and (soonest == 0 or lease.untilMs < soonest) then soonest = lease.untilMs end
    end
  end
  return { 'full', tostring(resting), string.format('%.0f', soonest) }
end

-- The lowest candidate that no blocked range touches, or nil. One walk over the ranges in the order of their start.
local function lowest(blocked, first, size, count)
  table.sort(blocked, function(a, b) return a.from < b.from end)
  local candidate, i = first, 1
  while candidate <= first + (count - 1) * size do
    while blocked[i] and blocked[i].to < candidate do i = i + 1 end
    if not blocked[i] or blocked[i].from > candidate + size - 1 then return candidate end
    candidate = first + (math.floor((blocked[i].to - first) / size) + 1) * size
  end
end

-- change, node, address, spec, now, explicit CIDR or '', first number, slice size, slice count, prefix length, '1' to take another slice
-- than the one that the change has; then excluded first, last, ...
local function claim(change, node, address, spec, now, explicit, first, size, count, length, another)
  local leases, own = {}, nil
  for _, lease in ipairs(current(tonumber(now))) do
    if lease.change == change and lease.state ~= 'resting' then own = lease else leases[#leases + 1] = lease end
  end
  if own and (another ~= '1' or own.state ~= 'claimed') then
    return append({ 'lease', own.cidr, render(own) }, leases)
  end

  local blocked = {}
  for _, holders in ipairs({ leases, members() }) do
    for _, holder in ipairs(holders) do
      local from, to = range(holder.cidr)
      if holder.state ~= 'resting' then
        if holder.node == node then return { 'name', holder.cidr, render(holder) } end
        if holder.address == address then return { 'address', holder.cidr, render(holder) } end
        local own = number(holder.address)
        blocked[#blocked + 1] = { from = own, to = own, says = 'covers', holder = holder }
      elseif holder.node == node and holder.owing ~= '' then
        return { 'owed', holder.cidr, render(holder) }
      end
      if from <= number(address) and number(address) <= to then return { 'inside', holder.cidr, render(holder) } end
      blocked[#blocked + 1] = { from = from, to = to, says = 'held', holder = holder }
    end
  end

  local chosen = explicit
  if explicit ~= '' then
    local from, to = range(explicit)
    for _, b in ipairs(blocked) do
      if b.from <= to and from <= b.to then return { b.says, b.holder.cidr, render(b.holder) } end
    end
  else
    for i = 13, #ARGV, 2 do blocked[#blocked + 1] = { from = tonumber(ARGV[i]), to = tonumber(ARGV[i + 1]) } end
    local found = lowest(blocked, tonumber(first), tonumber(size), tonumber(count))
    if not found then return full(leases) end
    chosen = dotted(found) .. '/' .. length
  end
  local lease = {
    cidr = chosen, state = 'claimed', change = change, node = node, address = address,
    at = now, untilMs = 0, owing = '', spec = spec,
  }
  if own then redis.call('HDEL', KEYS[1], own.cidr) end
  save(lease)
  return append({ 'lease', chosen, render(lease) }, leases)
end

-- change, now; then name, address, CIDR and spec of each node. They carry pods there already, so it is these slices or none, and
-- all of them or none. A node's own slice that rests after it was removed is its own again, and so is one that is held for a node
-- that the inventory has lost.
local function adopt(change, now)
  local others, adopted = members(), {}
  for _, lease in ipairs(current(tonumber(now))) do
    if lease.change ~= change or lease.state == 'resting' then others[#others + 1] = lease end
  end
  for _, holder in ipairs(others) do
    holder.first, holder.last = range(holder.cidr)
    holder.own = number(holder.address)
  end
  for i = 4, #ARGV, 4 do
    local lease = {
      cidr = ARGV[i + 2], state = 'claimed', change = change, node = ARGV[i], address = ARGV[i + 1],
      at = now, untilMs = 0, owing = '', spec = ARGV[i + 3],
    }
    lease.first, lease.last = range(lease.cidr)
    lease.own = number(lease.address)
    for _, other in ipairs(others) do
      local rests = other.state == 'resting'
      local same = other.node == lease.node and other.address == lease.address and other.cidr == lease.cidr
      if rests and same and other.owing == '' then
        lease.untilMs = other.untilMs
      elseif same and other.state == 'held' and other.change ~= '' then
        lease.state = 'held'
      else
        local verdict
        if not rests and other.node == lease.node then verdict = 'name'
        elseif not rests and other.address == lease.address then verdict = 'address'
        elseif rests and other.node == lease.node and other.owing ~= '' then verdict = 'owed'
        elseif other.first <= lease.own and lease.own <= other.last then verdict = 'inside'
        elseif not rests and lease.first <= other.own and other.own <= lease.last then verdict = 'covers'
        elseif other.first <= lease.last and lease.first <= other.last then verdict = 'held'
        end
        if verdict then return { verdict, lease.node, other.cidr, render(other) } end
      end
    end
    adopted[#adopted + 1] = lease
    others[#others + 1] = lease
  end
  for _, lease in ipairs(adopted) do save(lease) end
  return append({ 'lease' }, adopted)
end

-- change
local function confirm(change)
  local leases = ofChange(change)
  if #leases == 0 then return { 'none' } end
  for _, lease in ipairs(leases) do
    lease.state, lease.untilMs = 'held', 0
    save(lease)
  end
  return append({ 'lease' }, leases)
end

-- change, '1' when it never touched a host. Only what was never routed is free at once; what had rested before rests on.
local function release(change, untouched)
  local verdict = 'none'
  for _, lease in ipairs(ofChange(change)) do
    if lease.state == 'held' and untouched ~= '1' then return { 'held' } end
    if lease.untilMs > 0 then
      lease.state = 'resting'
      save(lease)
    else
      redis.call('HDEL', KEYS[1], lease.cidr)
    end
    verdict = 'released'
  end
  return { verdict }
end

-- CIDR, node, until, owing. The node is named so that a job delivered twice can't put the next holder to rest.
-- A member whose lease was lost rests all the same.
local function quarantine(cidr, node, untilMs, owing)
  local lease = read(cidr) or memberWith(cidr)
  if not lease or lease.node ~= node then return { 'none' } end
  if lease.state ~= 'resting' then
    lease.state, lease.untilMs, lease.owing = 'resting', tonumber(untilMs), owing
    save(lease)
  end
  return { 'lease', lease.cidr, render(lease) }
end

-- CIDR, peer, node or ''. Named, the node is the one whose routes the peer has forgotten: not of whoever had the slice after it.
local function settle(cidr, peer, node)
  local lease = read(cidr)
  if not lease or lease.state ~= 'resting' or (node ~= '' and lease.node ~= node) then return { 'none' } end
  local owing = {}
  for _, name in ipairs(split(lease.owing, ',')) do
    if name ~= peer and name ~= '' then owing[#owing + 1] = name end
  end
  lease.owing = table.concat(owing, ',')
  save(lease)
  return { 'lease', lease.cidr, render(lease) }
end

-- CIDR, node, change, address, spec, now. The removal of a node was rolled back: its slice is its own again, if nobody has it meanwhile.
local function restore(cidr, node, change, address, spec, now)
  local from, to = range(cidr)
  for _, holders in ipairs({ current(tonumber(now)), members() }) do
    for _, holder in ipairs(holders) do
      local first, last = range(holder.cidr)
      if holder.node ~= node and first <= to and from <= last then return { 'none' } end
      -- Added anew since: the name or the address is taken, with another slice.
      local same = holder.node == node or holder.address == address
      if same and holder.cidr ~= cidr and holder.state ~= 'resting' then return { 'none' } end
    end
  end
  local lease = read(cidr) or { cidr = cidr, change = change, node = node, address = address, at = now, spec = spec }
  lease.state, lease.untilMs, lease.owing = 'held', 0, ''
  save(lease)
  return { 'lease', lease.cidr, render(lease) }
end

local does = {
  claim = claim, adopt = adopt, confirm = confirm, release = release, quarantine = quarantine, settle = settle, restore = restore,
}
return does[ARGV[1]](ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12])
