/* The control interface (CONTROL.md), the pictures of the CDN and the files of the chat page: everything on the HTTP port that is not Discord's
 * REST interface. */
#ifndef FAKE_CONTROL_H
#define FAKE_CONTROL_H

#include "fake.h"

struct httpd_request;
struct control;

struct control *control_create(struct fake *fake);
void control_destroy(struct control *control);
void control_handle(struct control *control, struct httpd_request *request);

#endif
