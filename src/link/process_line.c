/* SPDX-License-Identifier: MIT */
/*
 * Partners and the lines to them: made, accepted, crossed, ended.  The rules P1 to
 * P3 are those of process.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "link/process.h"
#include "sys/ready.h"
#include "sys/stream.h"

extern const struct ferryi_transport ferryi_transport_channel;

/* --- the life of a line ------------------------------------------------------ */

static void destroy(struct ferryi_line *line)
{
	ferryi_link_free(line->channel);
	free(line->from);
	free(line);
}

bool ferryi_line_is_cut(const struct ferryi_line *line)
{
	return ferryi_fd_ready(ferryi_channel_of(line->channel)->unix_.end.in,
			       POLLHUP);
}

void ferryi_line_pin(struct ferryi_line *line)
{
	line->pins++;
}

void ferryi_line_unpin(struct ferryi_line *line)
{
	if (--line->pins == 0 && line->over)
		destroy(line);
}

static char *address_of(const struct ferryi_station *s, const char *name)
{
	size_t size = sizeof s->directory + sizeof s->name + 16;
	char *text = malloc(size);

	if (text)
		snprintf(text, size, "process:%s%s%s",
			 s->is_default ? "" : s->directory,
			 s->is_default ? "" : "/", name);
	return text;
}

static struct ferryi_line *new_line(struct ferryi_partner *p,
				    struct ferry_link *channel,
				    const char *name)
{
	struct ferryi_line *line = calloc(1, sizeof *line);

	if (!line || ferryi_station_reserve(p->station) < 0) {
		free(line);
		return NULL;
	}
	line->partner = p;
	line->channel = channel;
	line->pid = ferryi_channel_of(channel)->unix_.end.peer.pid;
	line->from = *name ? address_of(p->station, name) : NULL;
	if (line->from || !*name)
		return line;
	free(line);
	return NULL;
}

static int put(struct ferryi_line **place, struct ferryi_line *line)
{
	struct ferryi_partner *p = line->partner;

	p->station->n_lines++;
	line->behind = *place;
	*place = line;
	return ferryi_partner_watch_first(p);
}

static struct ferryi_line **behind_all(struct ferryi_partner *p)
{
	struct ferryi_line **at = &p->lines;

	while (*at)
		at = &(*at)->behind;
	return at;
}

static struct ferryi_line **place_of(struct ferryi_line *line)
{
	struct ferryi_line **at = &line->partner->lines;

	while (*at && *at != line)
		at = &(*at)->behind;
	return at;
}

static struct ferryi_line *last_but(struct ferryi_partner *p,
				    const struct ferryi_line *line)
{
	struct ferryi_line *last = NULL;

	for (struct ferryi_line *l = p->lines; l; l = l->behind)
		last = l;
	return last == line ? NULL : last;
}

/* Its partner has it no more.  Who sleeps on it looks again and lets it go. */
static void put_away(struct ferryi_line *line)
{
	struct ferryi_partner *p = line->partner;

	p->station->n_lines--;
	if (p->heir == line)
		p->heir = NULL;
	line->over = true;
	if (line->pins == 0) {
		destroy(line);
		return;
	}
	line->channel->t->shutdown(line->channel, FERRY_SEND);
	ferryi_station_nudge(p->station);
}

static void take_away(struct ferryi_line *line)
{
	ferryi_line_unwatch(line);
	*place_of(line) = line->behind;
	put_away(line);
}

static void forget_if_unused(struct ferryi_partner *p)
{
	struct ferryi_partner **at = &p->station->partners;

	if (p->users || p->lines)
		return;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

static void lose_out(struct ferryi_partner *p)
{
	p->losses++;
	p->out = p->heir ? p->heir : last_but(p, p->out);
	p->heir = NULL;
}

void ferryi_line_end(struct ferryi_line *line, int how)
{
	struct ferryi_partner *p = line->partner;

	if (p->out == line)
		lose_out(p);
	/* One that was given up for the next one is not the end (P2). */
	if (!line->behind || line->behind->pid != line->pid) {
		p->ends++;
		p->how = how;
	}
	take_away(line);
	if (ferryi_partner_watch_first(p) < 0)
		ferryi_line_end(p->lines, -ECONNRESET);
	else
		forget_if_unused(p);
}

void ferryi_line_lose(struct ferryi_line *line)
{
	struct ferryi_partner *p = line->partner;

	if (p->out != line)
		return;
	lose_out(p);
	/* What it has sent is still read, by those who receive. */
	if (p->readers || p->station->receivers)
		return;
	take_away(line);
	ferryi_partner_watch_first(p);
}

/* --- partners ---------------------------------------------------------------- */

static struct ferryi_partner *find(struct ferryi_station *s, const char *name)
{
	struct ferryi_partner *p = s->partners;

	while (p && strcmp(p->name, name) != 0)
		p = p->next;
	return p;
}

static struct ferryi_partner *new_partner(struct ferryi_station *s,
					  const char *name)
{
	struct ferryi_partner *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	snprintf(p->name, sizeof p->name, "%s", name);
	p->station = s;
	p->next = s->partners;
	s->partners = p;
	return p;
}

int ferryi_partner_join(struct ferryi_station *s, const char *name,
			bool receives, struct ferryi_partner **out)
{
	struct ferryi_partner *p = find(s, name);

	if (!p)
		p = new_partner(s, name);
	if (!p)
		return ferryi_fail(-ENOMEM, "out of memory for a link");
	p->users++;
	p->readers += receives;
	*out = p;
	return 0;
}

static void hang_up(struct ferryi_partner *p)
{
	struct ferryi_line *line;

	while ((line = p->lines)) {
		ferryi_line_unwatch(line);
		p->lines = line->behind;
		put_away(line);
	}
	p->out = NULL;
}

/* In the child of a fork, whose handles touch nothing of it. */
static void unpin_all(struct ferryi_partner *p)
{
	for (struct ferryi_line *l = p->lines; l; l = l->behind)
		l->pins = 0;
}

void ferryi_partner_leave(struct ferryi_partner *p, bool received)
{
	p->users--;
	p->readers -= received;
	if (p->users == 0 && p->station->receivers == 0)
		hang_up(p); /* nobody reads or writes it any more */
	forget_if_unused(p);
}

void ferryi_station_hang_up(struct ferryi_station *s, bool all)
{
	struct ferryi_partner *p, *next;

	for (p = s->partners; p; p = next) {
		next = p->next;
		if (all) {
			unpin_all(p);
			p->users = 0;
		}
		if (p->users == 0)
			hang_up(p);
		forget_if_unused(p);
	}
}

/* --- connecting ---------------------------------------------------------------- */

struct ferryi_line *ferryi_partner_out(struct ferryi_partner *p)
{
	struct ferryi_line *given_up = p->out;

	if (!p->heir || given_up->lent)
		return p->out;
	p->out = p->heir;
	p->heir = NULL;
	take_away(given_up);
	/* K3: ours has ended in order, nothing was sent on the other one */
	ferryi_partner_watch_first(p);
	return p->out;
}

static int nobody(struct ferry_link *l, const struct ferryi_partner *p)
{
	return ferryi_fail(-ENOENT,
			   "%s: no process has the name %s (start it first; "
			   "ferry ls shows who is there)",
			   l->address, p->name);
}

/* A socket that is connected to the partner's door. */
static int reach(struct ferryi_partner *p, struct ferry_link *l,
		 struct ferry_link *channel)
{
	char path[FERRYI_SOCKET_PATH_MAX + 1];
	int fd = ferryi_door_path(p->station->directory, p->name, path);

	if (fd == 0)
		fd = ferryi_unix_connect(channel, path, FERRYI_SOCKET_STREAM);
	return fd == -ENOENT || fd == -ECONNREFUSED ? nobody(l, p) : fd;
}

static int call(struct ferryi_partner *p, struct ferry_link *l,
		struct ferry_link *channel)
{
	int fd = reach(p, l, channel), r;

	if (fd < 0)
		return fd;
	ferryi_channel_use(channel, fd);
	ferryi_channel_of(channel)->ring_log2 = ferryi_process_of(l)->ring_log2;
	r = ferryi_door_greet(p->station, fd);
	if (r == 0)
		r = ferryi_channel_offer(channel);
	/* Turned away in a crowd, or it has died: the next attempt finds out. */
	if (r == -EPIPE || r == -ECONNRESET)
		return -EAGAIN;
	return r < 0 && !ferryi_fail_sentence(r) ?
		       ferryi_fail_sys(-r, "%s: connecting failed: %s",
				       l->address, strerror(-r)) :
		       r;
}

int ferryi_line_make(struct ferryi_partner *p, struct ferry_link *l)
{
	struct ferryi_line *line;
	struct ferry_link *channel;
	int r = ferryi_link_inner(&channel, &ferryi_transport_channel,
				  FERRY_DUPLEX, l->address);

	if (r < 0)
		return r;
	r = call(p, l, channel);
	/* K2: the other side can know of it, nothing has been sent */
	line = r == 0 ? new_line(p, channel, p->name) : NULL;
	if (!line) {
		ferryi_link_free(channel);
		return r < 0 ? r : ferryi_fail(-ENOMEM, "out of memory");
	}
	line->made = true;
	r = put(behind_all(p), line);
	if (r < 0) {
		take_away(line);
		return r;
	}
	p->out = line;
	return 0;
}

/* The process at the other end of `out` has connected to us at the same time; and
 * not anew, for then it has closed that one before. */
static bool has_crossed(const struct ferryi_partner *p,
			const struct ferryi_line *line)
{
	return p->out && p->out->made && p->out->pid == line->pid &&
	       !ferryi_line_is_cut(p->out);
}

static int accept_line(struct ferryi_partner *p, struct ferryi_line *line)
{
	if (has_crossed(p, line)) {
		if (strcmp(p->station->name, p->name) > 0)
			p->heir = line;		    /* P2 */
		return put(place_of(p->out), line); /* P3 */
	}
	if (!p->out)
		p->out = line;
	return put(behind_all(p), line);
}

int ferryi_line_accept(struct ferryi_station *s, struct ferry_link *channel,
		       const char *name)
{
	bool is_self = strcmp(name, s->name) == 0;
	struct ferryi_partner *p = *name && !is_self ? find(s, name) : NULL;
	struct ferryi_line *line = NULL;
	int r = -ENOMEM;

	if (!p) /* what we send to ourselves comes as if from somebody else */
		p = new_partner(s, is_self ? "" : name);
	if (p)
		line = new_line(p, channel, name);
	if (line)
		r = accept_line(p, line);
	else
		ferryi_link_free(channel);
	if (line && r < 0) {
		if (p->out == line)
			p->out = NULL;
		take_away(line);
	}
	if (p)
		forget_if_unused(p);
	return r;
}
