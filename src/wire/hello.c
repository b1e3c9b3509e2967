/* SPDX-License-Identifier: MIT */
/* See hello.h. */
#include "wire/hello.h"

#include <errno.h>
#include <string.h>

void ferryi_hello_format(struct ferryi_hello *h, const char *name)
{
	size_t len = strlen(name);

	memset(h, 0, sizeof *h);
	h->magic = FERRYI_HELLO_MAGIC;
	h->version = FERRYI_HELLO_VERSION;
	if (len < sizeof h->name)
		memcpy(h->name, name, len);
}

/* A name is one file in the realm; how it is spelled is the realm's to judge. */
static int is_name(const char name[240])
{
	size_t len = strnlen(name, 240);

	for (size_t i = len; i < 240; i++)
		if (name[i])
			return 0;
	return len < 240 && name[0] != '.' && !memchr(name, '/', len);
}

int ferryi_hello_check(const struct ferryi_hello *h)
{
	if (h->magic != FERRYI_HELLO_MAGIC)
		return -EBADMSG;
	if (h->version != FERRYI_HELLO_VERSION)
		return -EPROTO;
	return h->reserved == 0 && is_name(h->name) ? 0 : -EBADMSG;
}
