-- What the scripts of the six cases share. wrk runs in this folder, so `require "load"` finds it.
--
-- Each request that is sent adds one to a counter in a file that the runner maps too. So the runner knows how many requests
-- fell into its window without asking wrk, and need not care for those that are under way when wrk begins or ends.

local ffi = require "ffi"

ffi.cdef [[
  int open(const char *path, int flags, ...);
  void *mmap(void *at, size_t length, int protection, int flags, int file, int64_t offset);
]]

local READ_AND_WRITE, SHARED, PAGE = 2, 1, 4096
local VARIANTS = 4096
local load = {}

local function counter()
  local path = os.getenv("BENCH_COUNTER")
  local file = ffi.C.open(path, READ_AND_WRITE)
  assert(file >= 0, "cannot open " .. path)
  local memory = ffi.C.mmap(nil, PAGE, 3, SHARED, file, 0)
  assert(ffi.cast("intptr_t", memory) ~= -1, "cannot map " .. path)
  return ffi.cast("volatile uint64_t *", memory)
end

-- Sends what `make` makes, over and over: 4,096 variants made beforehand, always the same ones.
function load.send(make)
  local count, requests, at = counter(), {}, 0
  init = function()
    math.randomseed(20)
    for i = 1, VARIANTS do requests[i] = make() end
  end
  request = function()
    count[0] = count[0] + 1
    at = at % VARIANTS + 1
    return requests[at]
  end
end

function load.get(path)
  return wrk.format("GET", path)
end

function load.post(path, body)
  return wrk.format("POST", path, { ["Content-Type"] = "application/json", ["Authorization"] = wrk.headers["Authorization"] }, body)
end

-- One line for the runner. `status` counts answers of 400 and above.
function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    "bench requests=%d p50_us=%d p99_us=%d connect=%d read=%d write=%d status=%d timeout=%d",
    summary.requests, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end

return load
