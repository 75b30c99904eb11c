/* base/metrics.h: the text form. */
#include "test.h"

#include <time.h>

#include "base/metrics.h"

static struct metric sent = METRIC_COUNTER("test_sent_total", "Things sent\nwith \\ care");
static struct metric failed_4xx = METRIC_COUNTER_LABELLED("test_failed_total", "class=\"4xx\"", "Failures");
static struct metric failed_5xx = METRIC_COUNTER_LABELLED("test_failed_total", "class=\"5xx\"", "Failures");
static struct metric depth = METRIC_GAUGE("test_depth", "Queue depth");

static double value_of(const char *text, const char *name)
{
	struct str line cleanup(str_finish) = STR_INIT;
	const char *at;

	str_printf(&line, "\n%s ", name);
	at = strstr(text, line.buf);
	assert_non_null(at);
	return strtod(at + line.len, NULL);
}

static void writes_groups(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	const char *expected = "# HELP test_sent_total Things sent\\nwith \\\\ care\n"
			       "# TYPE test_sent_total counter\n"
			       "test_sent_total 3\n"
			       "# HELP test_failed_total Failures\n"
			       "# TYPE test_failed_total counter\n"
			       "test_failed_total{class=\"4xx\"} 1\n"
			       "test_failed_total{class=\"5xx\"} 0\n"
			       "# HELP test_depth Queue depth\n"
			       "# TYPE test_depth gauge\n"
			       "test_depth -5\n";

	(void)state;
	metrics_register(&sent);
	metrics_register(&failed_4xx);
	metrics_register(&depth);
	/* The second of a name stands beside the first, and registering again changes nothing. */
	metrics_register(&failed_5xx);
	metrics_register(&failed_5xx);
	metrics_register(&sent);
	metric_add(&sent, 1);
	metric_add(&sent, 2);
	metric_add(&failed_4xx, 1);
	metric_set(&depth, -5);
	metrics_write(&text);
	assert_memory_equal(text.buf, expected, strlen(expected));
}

static void knows_the_process(void **state)
{
	struct str text cleanup(str_finish) = STR_INIT;
	double resident, started;

	(void)state;
	metrics_write(&text);
	resident = value_of(text.buf, "process_resident_memory_bytes");
	started = value_of(text.buf, "process_start_time_seconds");
	assert_true(resident > 100e3 && resident < 1e12);
	assert_true(started <= (double)time(NULL) + 1 && started > (double)time(NULL) - 3600);
	assert_int_equal(text.buf[text.len - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_groups),
		cmocka_unit_test(knows_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
