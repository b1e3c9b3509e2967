/* SPDX-License-Identifier: MIT */
/*
 * What one who connects to a process says first: under which name it sends.
 * Pure; what comes in is foreign.
 */
#ifndef FERRYI_WIRE_HELLO_H
#define FERRYI_WIRE_HELLO_H

#include <stdint.h>

#define FERRYI_HELLO_MAGIC   0x0a4f4c4c45484689ull /* "\x89" "FHELLO\n" */
#define FERRYI_HELLO_VERSION 1u

struct ferryi_hello {
	uint64_t magic;
	uint32_t version;
	uint32_t reserved;
	char name[240]; /* terminated, zeros behind it; "": it has none */
};

_Static_assert(sizeof(struct ferryi_hello) == 256, "one small message");

/* `name` has at most 239 bytes. */
void ferryi_hello_format(struct ferryi_hello *h, const char *name);

/* 0; -EBADMSG: it is none; -EPROTO: of another version. */
int ferryi_hello_check(const struct ferryi_hello *h);

#endif
