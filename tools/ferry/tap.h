/* SPDX-License-Identifier: MIT */
/*
 * What a tap writes of each message or piece of bytes that it sees: the time, where
 * from and where to, the size, and the bytes as text, in hexadecimal or as JSON.
 */
#ifndef FERRY_TOOLS_TAP_H
#define FERRY_TOOLS_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <ferry.h>

struct tap {
	FILE *out; /* the record that is being made */
	int fd;
	const char *file; /* what it is called; NULL: standard output */
	bool hex;
};

/* To `file`, which is appended to, or standard output.  0, or an exit status. */
int tap_open(struct tap *t, const char *file, bool hex);
int tap_close(struct tap *t);

/*
 * One record, at once.  `to` is NULL where it was only looked at; `way` is '>' or
 * '<', seen from the first address.  0, or an exit status.
 */
int tap_write(struct tap *t, char way, const char *from, const char *to,
	      const struct ferry_message *m);

#endif
