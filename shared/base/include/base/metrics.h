/* Counters and gauges in Prometheus' text format. Declared as static variables, registered once, updated without locks.
 *
 *	static struct metric events = METRIC_COUNTER("walle_gateway_events_total", "Dispatches received");
 *	metrics_register(&events);
 *	metric_add(&events, 1);
 */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/str.h"

struct metric {
	const char *name, *help;
	const char *labels; /* ready text such as `class="5xx"`, or NULL; metrics of one name are written together */
	enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE } kind;
	_Atomic int64_t value;
	struct metric *next;
	bool registered;
};

/* clang-format off */
#define METRIC_COUNTER(n, h) { .name = (n), .help = (h), .kind = METRIC_KIND_COUNTER }
#define METRIC_GAUGE(n, h)   { .name = (n), .help = (h), .kind = METRIC_KIND_GAUGE }
#define METRIC_COUNTER_LABELLED(n, l, h) { .name = (n), .labels = (l), .help = (h), .kind = METRIC_KIND_COUNTER }
/* clang-format on */

/* Once per metric, before threads start; registering again does nothing. */
void metrics_register(struct metric *metric);
static inline void metric_add(struct metric *metric, int64_t n)
{
	atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}
static inline void metric_set(struct metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}
/* Appends all registered metrics, and the process's resident memory and start time. */
void metrics_write(struct str *out);

#endif
