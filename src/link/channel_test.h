/* SPDX-License-Identifier: MIT */
/* What the tests of channels share: two ends, and messages that are words. */
#ifndef FERRYI_LINK_CHANNEL_TEST_H
#define FERRYI_LINK_CHANNEL_TEST_H

#include "unit.h"

static struct ferry_link *a, *b; /* the two ends */

static inline void meet(const char *address)
{
	struct ferry_link *ends[2];

	ok(ferry_pair(ends, address));
	a = ends[0];
	b = ends[1];
}

static inline void part(void)
{
	ferry_close(a);
	ferry_close(b);
}

static inline int say(struct ferry_link *l, const char *text)
{
	return ferry_send(l, text, strlen(text), FERRY_NOWAIT);
}

static inline void hears(struct ferry_link *l, const char *text)
{
	char buf[100];
	ssize_t n = ferry_recv(l, buf, sizeof buf - 1, SOON);

	ok(n);
	buf[n] = 0;
	ck_assert_str_eq(buf, text);
}

static inline unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* A pipe with a letter in it; what its reading end has is told by that. */
static inline int letter(char c)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], &c, 1), 1);
	close(ends[1]);
	return ends[0];
}

static inline void is_letter(int fd, char wanted)
{
	char c = 0;

	ck_assert_int_eq(read(fd, &c, 1), 1);
	ck_assert_int_eq(c, wanted);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

#endif
