/* The control interface: see control.h and CONTROL.md. */
#include "control.h"

#include <stdlib.h>

#include "net/httpd.h"

struct control {
	struct fake *fake;
};

struct control *control_create(struct fake *fake)
{
	struct control *control = xcalloc(1, sizeof(*control));

	control->fake = fake;
	return control;
}

void control_destroy(struct control *control)
{
	free(control);
}

void control_handle(struct control *control, struct httpd_request *request)
{
	(void)control;
	httpd_respond(request, 404, "application/json", NULL, "{\"error\":\"there is nothing here\"}", 32);
}
