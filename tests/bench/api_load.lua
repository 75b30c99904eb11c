-- wrk's side of the API's benchmark: wrk -s api_load.lua URL -- WHAT PAGES DELAY_US FIRST: of the pages from FIRST to PAGES. Reports one
-- line: requests/s, p50 and p99 in microseconds, answers that were no 200, bytes/s.
local what, pages, delay_us, first = "page1", 1, 0, 1

function init(args)
	what, pages, delay_us, first = args[1] or what, tonumber(args[2] or 1), tonumber(args[3] or 0), tonumber(args[4] or 1)
	math.randomseed(os.time())
	if delay_us > 0 then
		-- Whole milliseconds only: a fraction is met on average. Without a delay the function must not exist.
		function delay()
			local ms = delay_us / 1000
			local whole = math.floor(ms)
			return math.random() < ms - whole and whole + 1 or whole
		end
	end
end

local fixed = {}
function request()
	local path
	if what == "random" then
		path = "/user_points/?format=json&page_size=20&page=" .. math.random(first, pages)
	elseif what == "filter" then
		-- Dates in the last years: a third of the members are left at least.
		path = "/user_points/?format=json&page_size=20&last_updated_date__isnull=unknown&last_updated_date__gte=" ..
			(1600000000 + math.random(100000000)) .. "&page=" .. math.random(first, pages)
	elseif what == "levels" then
		path = "/levels/?format=json"
	elseif what == "bare" then
		path = "/"
	else
		path = "/user_points/?format=json&page_size=20&page=1"
	end
	if what == "random" or what == "filter" then
		return wrk.format("GET", path)
	end
	fixed[path] = fixed[path] or wrk.format("GET", path)
	return fixed[path]
end

function done(summary, latency, requests)
	local seconds = summary.duration / 1e6
	io.write(string.format("RESULT %.0f %d %d %d %.0f\n", summary.requests / seconds, latency:percentile(50), latency:percentile(99),
		summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
		summary.bytes / seconds))
end
