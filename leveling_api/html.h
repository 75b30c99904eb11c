/* JSON as a page, for somebody who opens an API address in a browser. */
#ifndef LEVELING_API_HTML_H
#define LEVELING_API_HTML_H

#include "api.h"

/* Replaces the JSON body by a page that shows it. */
void html_wrap(const struct api *api, const struct request *request, const char *title, struct answer *answer);
/* Appends text with everything that means something in HTML escaped. */
void html_escape(struct str *out, const char *text, size_t len);

#endif
