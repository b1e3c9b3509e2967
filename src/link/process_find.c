/* SPDX-License-Identifier: MIT */
/*
 * Where the next message is: among all lines of a station in turn, or at one
 * partner.  The end of a line is found here as well.
 */
#include <errno.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/ready.h"

#define READY_MOST 16u

/* One message in so many is followed by a look who else has something. */
#define LOOK_AROUND 16u

/* The length of the next message of a first line; -EAGAIN; how it ended. */
static ssize_t look(struct ferryi_line *line)
{
	struct ferryi_partner *p = line->partner;
	ssize_t r = ferryi_line_calls(line)->next_len(line->channel);

	if (r == -EAGAIN || line->settled || !line->made)
		return r;
	/* Before anything of this line counts (P3). */
	if (ferryi_door_admit(p->station) != 1)
		return -EAGAIN;
	line->settled = true;
	return p->lines == line ? r : -EAGAIN;
}

/* Activate what has rung, and let in who knocks.  How many; or an error. */
static int look_around(struct ferryi_station *s)
{
	void *about[READY_MOST];
	unsigned n = ferryi_set_ready(s->all, about, READY_MOST);
	bool door = false;
	int r = 0;

	for (unsigned i = 0; i < n; i++)
		if (about[i])
			ferryi_line_activate(about[i]);
		else
			door = true;
	if (door)
		r = ferryi_door_admit(s);
	return r < 0 ? r : (int)n;
}

/* The next of the active lines that has something, or NULL.  Whose turn it was
 * is the last one the next time. */
static struct ferryi_line *next_active(struct ferryi_station *s)
{
	struct ferryi_line *stays = s->stays;

	s->stays = NULL;
	if (stays && look(stays) >= 0)
		return stays;
	for (unsigned left = s->n_active; left > 0 && s->n_active > 0; left--) {
		struct ferryi_line *line = s->active[++s->turn % s->n_active];
		ssize_t r = look(line);

		if (r >= 0)
			return line;
		if (r != -EAGAIN)
			ferryi_line_end(line, (int)r);
	}
	return NULL;
}

static int find_any(struct ferryi_station *s, struct ferryi_line **out)
{
	int r = 0;

	*out = next_active(s);
	if (*out && ++s->served % LOOK_AROUND != 0)
		return 0;
	r = look_around(s);
	if (!*out && r > 0)
		*out = next_active(s);
	if (*out)
		return 0;
	return r < 0 ? r : -EAGAIN;
}

/* How it ended the last time, told once to each handle. */
static int ended(struct ferryi_process *h)
{
	if (h->ends == h->partner->ends)
		return 0;
	h->ends = h->partner->ends;
	return h->partner->how;
}

/* The first line, when it has something.  -EAGAIN; or how it ended. */
static int find_first(struct ferryi_process *h, struct ferryi_line **out)
{
	ssize_t len;
	int r;

	*out = h->partner->lines;
	if (!*out)
		return -EAGAIN;
	len = look(*out);
	if (len >= 0 || len == -EAGAIN)
		return len < 0 ? -EAGAIN : 0;
	ferryi_line_end(*out, (int)len);
	r = ended(h);
	return r < 0 ? r : -EAGAIN;
}

static int find_from(struct ferryi_process *h, struct ferryi_line **out)
{
	int r = ended(h), admitted;

	if (r == 0)
		r = find_first(h, out);
	if (r != -EAGAIN)
		return r;
	admitted = ferryi_door_admit(h->station);
	r = find_first(h, out);
	return r == -EAGAIN && admitted < 0 ? admitted : r;
}

int ferryi_process_find(struct ferry_link *l, struct ferryi_line **out)
{
	struct ferryi_process *h = ferryi_process_of(l);

	return h->partner ? find_from(h, out) : find_any(h->station, out);
}
