/* SPDX-License-Identifier: MIT */
/* See history.h. */
#include "history.h"

#include <stdio.h>
#include <ferry/base.h>

#include "world.h"

struct history history;

static const char *const names[EV_KINDS] = {
	"send",
	"send returns",
	"loan",
	"loan returns",
	"commit",
	"commit returns",
	"abandon",
	"abandon returns",
	"take",
	"take returns",
	"release",
	"release returns",
	"requeue",
	"requeue returns",
	"peek",
	"peek returns",
	"shutdown",
	"shutdown returns",
	"close",
	"close returns",
	"begins",
	"IS KILLED",
	"exits",
	"is stopped",
	"goes on",
	"finds it damaged",
	"finds another sender",
	"all are quiet",
	"death not noticed",
	"no end",
	"does not return",
	"left over",
	"messages fit",
};

const char *history_name(unsigned kind)
{
	return kind < EV_KINDS ? names[kind] : "?";
}

void history_print(const struct event *e)
{
	printf("%8u %10.3f ms  ", e->step, (double)e->now / 1e6);
	if (e->who == NOBODY)
		printf("--  ");
	else
		printf("p%-2u ", e->who);
	printf("%s", history_name(e->kind));
	if (e->id)
		printf(" #%u", e->id);
	if (e->value < 0)
		printf(": %s", ferry_error_name(e->value));
	else if (e->value > 0)
		printf(" (%d)", e->value);
	printf("\n");
}

void history_add(enum event_kind kind, unsigned who, unsigned id, int32_t value)
{
	struct event *e = &history.events[history.n];

	if (history.n == HISTORY_MOST)
		return;
	history.n++;
	*e = (struct event){ .now = world.now,
			     .step = (uint32_t)world_steps(),
			     .kind = (uint8_t)kind,
			     .who = (uint8_t)who,
			     .id = (uint16_t)id,
			     .value = value };
	if (sim_tracing)
		history_print(e);
}
