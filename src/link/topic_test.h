/* SPDX-License-Identifier: MIT */
/* What the tests of topics share: numbers through the topic "temp". */
#ifndef FERRYI_LINK_TOPIC_TEST_H
#define FERRYI_LINK_TOPIC_TEST_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <ferry.h>

#include "unit.h"

static struct shared_state {
	uint32_t ready, go;
} * s;

static inline void setup(void)
{
	s = shared(sizeof *s);
}

static inline struct ferry_link *open_as(const char *keys, unsigned flags)
{
	struct ferry_link *l = NULL;
	char address[200];

	snprintf(address, sizeof address, "topic:temp%s", keys);
	ok(ferry_open(&l, address, flags));
	return l;
}

static inline struct ferry_link *sub(const char *keys)
{
	return open_as(keys, FERRY_RECV);
}

static inline struct ferry_link *pub(void)
{
	return open_as("?capacity=4&max=64", FERRY_SEND);
}

static inline int put(struct ferry_link *l, int64_t number)
{
	return ferry_send(l, &number, sizeof number, FERRY_NOWAIT);
}

static inline int64_t get(struct ferry_link *l)
{
	int64_t number = 0;
	ssize_t n = ferry_recv(l, &number, sizeof number, FERRY_NOWAIT);

	return n < 0 ? n : number;
}

static inline struct ferry_topic_stat stat_of(struct ferry_link *l)
{
	struct ferry_topic_stat st = { .size = sizeof st };

	ok(ferry_topic_stat(l, &st));
	return st;
}

static inline void subscribe_and_stay(void *arg)
{
	sub(arg);
	gate_add(&s->ready);
	stay();
}

static inline pid_t subscriber(const char *keys)
{
	uint32_t before = gate_count(&s->ready);
	pid_t pid = child(subscribe_and_stay, (void *)(uintptr_t)keys);

	gate_await(&s->ready, before + 1);
	return pid;
}

#endif
