/* SPDX-License-Identifier: MIT */
/* See source.h. */
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "address.h"

#define FIRST_BUFFER ((size_t)1 << 16)
#define BUFFER_MOST  ((size_t)1 << 30)

void source_init(struct source *s, struct ferry_link *link, const char *address,
		 bool passes_fds)
{
	const struct ferry_transport_info *t = address_transport(address);
	unsigned promises = t ? t->promises : 0;

	memset(s, 0, sizeof *s);
	s->link = link;
	s->returns = promises & FERRY_CAN_REDELIVER;
	s->in_place = promises & FERRY_CAN_IN_PLACE;
	s->passes_fds = passes_fds;
	s->signals = signal_is_address(address);
}

static void close_fds(struct source *s)
{
	while (s->n_fds)
		close(s->fds[--s->n_fds]);
}

void source_fini(struct source *s)
{
	close_fds(s);
	free(s->buf);
	s->buf = NULL;
}

static int reserve(struct source *s, size_t cap)
{
	char *buf;

	if (cap < FIRST_BUFFER)
		cap = FIRST_BUFFER;
	if (cap <= s->cap)
		return 0;
	buf = cap > BUFFER_MOST ? NULL : realloc(s->buf, cap);
	if (!buf)
		return -ENOMEM;
	s->buf = buf;
	s->cap = cap;
	return 0;
}

/* For a message that did not fit; the kernel does not always tell its length. */
static int grow(struct source *s)
{
	ssize_t len = ferry_next_len(s->link);

	if (len == -EOPNOTSUPP)
		return reserve(s, 2 * s->cap);
	return len < 0 && len != -EAGAIN ?
		       (int)len :
		       reserve(s, len < 0 ? 0 : (size_t)len);
}

static ssize_t recv_once(struct source *s, ferry_time deadline)
{
	ssize_t n;

	if (!s->passes_fds)
		return ferry_recv(s->link, s->buf, s->cap, deadline);
	close_fds(s);
	s->n_fds = FERRY_FDS_MAX;
	n = ferry_recv_fds(s->link, s->buf, s->cap, s->fds, &s->n_fds,
			   deadline);
	if (n < 0)
		s->n_fds = 0;
	return n;
}

static int receive(struct source *s, struct ferry_message *m,
		   ferry_time deadline)
{
	int err = reserve(s, FIRST_BUFFER);
	ssize_t n = -EMSGSIZE;

	while (!err && n == -EMSGSIZE) {
		n = recv_once(s, deadline);
		if (n == -EMSGSIZE)
			err = grow(s);
	}
	if (err || n < 0)
		return err ? err : (int)n;
	memset(m, 0, sizeof *m);
	m->data = s->buf;
	m->len = (size_t)n;
	m->deliveries = 1;
	ferry_peer(s->link, &m->sender);
	return 0;
}

/* Out of its place: 0, or -ESTALE when it was overwritten meanwhile. */
static int copy_out(struct source *s, struct ferry_message *m)
{
	int err = reserve(s, m->len), released;

	if (!err && m->len)
		memcpy(s->buf, m->data, m->len);
	snprintf(s->from, sizeof s->from, "%s", m->from ? m->from : "");
	released = ferry_release(m);
	m->link = NULL;
	m->data = s->buf;
	m->from = s->from[0] ? s->from : NULL;
	return err ? err : released;
}

static int take(struct source *s, struct ferry_message *m, ferry_time deadline)
{
	int err;

	for (;;) {
		err = ferry_take(s->link, m, deadline);
		if (err < 0 || !s->in_place || s->returns)
			return err;
		err = copy_out(s, m);
		if (err != -ESTALE)
			return err;
	}
}

/* A signal is a line of text for people and programs. */
static void put_in_words(struct source *s, struct ferry_message *m)
{
	int n = signal_line(m, s->line);

	if (n < 0)
		return;
	m->data = s->line;
	m->len = (size_t)n;
}

int source_next(struct source *s, struct ferry_message *m, ferry_time deadline)
{
	int err = -EOPNOTSUPP;

	if (s->passes_fds) {
		err = receive(s, m, deadline);
		s->passes_fds = err != -EOPNOTSUPP; /* not by this link */
	}
	if (err == -EOPNOTSUPP && !s->copies)
		err = take(s, m, deadline);
	if (err == -EOPNOTSUPP) {
		s->copies = true;
		err = receive(s, m, deadline);
	}
	if (err == 0 && s->signals)
		put_in_words(s, m);
	return err;
}

int source_done(struct source *s, struct ferry_message *m)
{
	close_fds(s);
	return m->link ? ferry_release(m) : 0;
}

int source_return(struct ferry_message *m, int64_t delay_ns)
{
	return m->link ? ferry_requeue(m, delay_ns) : -EOPNOTSUPP;
}
