/* SPDX-License-Identifier: MIT */
/* The arguments and the environment of one run of `ferry work`. */
#ifndef FERRY_TOOLS_WORK_WORDS_H
#define FERRY_TOOLS_WORK_WORDS_H

#include <stdbool.h>
#include <ferry.h>

struct words {
	char **argv, **envp; /* end with NULL */
	char **owned;	     /* what is to be freed of them */
	int n_owned, n_argv, n_envp;
};

/*
 * The command with each {} replaced by the message, and the environment with
 * FERRY_MAILBOX, FERRY_SEQ, FERRY_ID, FERRY_TYPE, FERRY_SENDER_PID,
 * FERRY_SENDER_UID, FERRY_REDELIVERED and FERRY_DELIVERIES.  -EILSEQ: a {} is
 * wanted, but the message is no text (UTF-8 without NUL).  -ENOMEM.  After an
 * error words_fini() is due as well.
 */
int words_init(struct words *w, const char *mailbox, char *const *command,
	       const struct ferry_message *m);
void words_fini(struct words *w);

#endif
