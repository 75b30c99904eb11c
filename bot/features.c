/* The features, in the order in which they start and hear of events. A new one is a line here and a file in features/. */
#include "feature.h"

extern const struct feature feature_health_checks, feature_help, feature_here, feature_leveling,
	feature_direct_messages;

const struct feature *const features[] = {
	&feature_help,
	&feature_health_checks,
	&feature_here,
	&feature_leveling,
	&feature_direct_messages,
	NULL,
};
