/* What an application command may be (interactions/application-commands). */
#ifndef FAKE_COMMAND_FORM_H
#define FAKE_COMMAND_FORM_H

#include "form.h"

void command_form_check(struct form *form, const char *path, const cJSON *command);

#endif
