/* SPDX-License-Identifier: MIT */
/* Signals as text: what `send` and `recv` do with an address of signal:. */
#ifndef FERRY_TOOLS_SIGNALS_H
#define FERRY_TOOLS_SIGNALS_H

#include <stdbool.h>
#include <ferry.h>

bool signal_is_address(const char *address);

#define SIGNAL_LINE_MAX 160

/* "USR1 process pid 812 uid 1000 value 5"; -EBADMSG: it is no signal. */
int signal_line(const struct ferry_message *m, char out[SIGNAL_LINE_MAX]);

#define SIGNAL_VALUE_MAX 8

/*
 * The bytes of a decimal number, 4 where that is enough, else 8; none of an empty
 * text.  Their number; -EINVAL.  A newline at the end is left out.
 */
int signal_value(const char *text, size_t len, char out[SIGNAL_VALUE_MAX]);

#endif
