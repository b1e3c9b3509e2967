/* SPDX-License-Identifier: MIT */
/*
 * Which lines of a station are looked at, and who is woken.
 *
 * Only the first line of a partner is read and watched.  One that ends is taken
 * away, and the next one is the first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/ready.h"

static int socket_of(const struct ferryi_line *line)
{
	return ferryi_channel_of(line->channel)->unix_.end.in;
}

void ferryi_station_nudge(struct ferryi_station *s)
{
	for (struct ferryi_process *h = s->handles; h; h = h->next)
		for (unsigned side = 0; side < 2; side++)
			if (h->asleep[side])
				ferryi_eventfd_set(h->nudge[side]);
}

void ferryi_line_activate(struct ferryi_line *line)
{
	struct ferryi_station *s = line->partner->station;

	if (line->active)
		return;
	line->active = true;
	line->at = s->n_active;
	s->active[s->n_active++] = line;
}

void ferryi_line_rest(struct ferryi_line *line)
{
	struct ferryi_station *s = line->partner->station;
	struct ferryi_line *last;

	if (!line->active)
		return;
	line->active = false;
	last = s->active[--s->n_active];
	s->active[line->at] = last;
	last->at = line->at;
}

int ferryi_station_reserve(struct ferryi_station *s)
{
	unsigned room = s->room ? 2 * s->room : 8;
	struct ferryi_line **grown;

	if (s->n_lines < s->room)
		return 0;
	grown = realloc(s->active, room * sizeof(void *));
	if (!grown)
		return ferryi_fail(-ENOMEM, "out of memory for a link");
	s->active = grown;
	s->room = room;
	return 0;
}

void ferryi_line_unwatch(struct ferryi_line *line)
{
	if (line->watched)
		ferryi_set_remove(line->partner->station->all, socket_of(line));
	line->watched = false;
	if (line->partner->station->stays == line)
		line->partner->station->stays = NULL;
	ferryi_line_rest(line);
}

int ferryi_partner_watch_first(struct ferryi_partner *p)
{
	struct ferryi_line *first = p->lines;
	int r;

	for (struct ferryi_line *l = first ? first->behind : NULL; l;
	     l = l->behind)
		ferryi_line_unwatch(l);
	if (!first || first->watched)
		return 0;
	r = ferryi_set_add(p->station->all, socket_of(first), first);
	if (r < 0)
		return ferryi_fail_sys(-r, "process:%s: cannot be watched: %s",
				       p->name, strerror(-r));
	first->watched = true;
	ferryi_line_activate(first);
	ferryi_station_nudge(p->station);
	return 0;
}
