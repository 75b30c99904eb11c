/* What happens when somebody runs a command that he may not run, or something needs the moderators' eyes. */
#ifndef BOT_INCIDENT_H
#define BOT_INCIDENT_H

#include "cmd.h"

/* Answers the caller and leaves a line in the incident channel. Slash: ephemeral. Text: the message goes, and the
 * person gets a direct message, or a remark in the channel for 10 s when he takes none. Who tries again within half a
 * minute makes no second line and gets no second message. */
int incident_denied(struct cmd *cmd) warn_unused;

#endif
