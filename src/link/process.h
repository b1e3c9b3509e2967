/* SPDX-License-Identifier: MIT */
/*
 * What the files of process: share.
 *
 *	process.c		the transport: what flags mean, how calls wait
 *	process_station.c	stations: a name is registered and given up; forks
 *	process_name.c		the door of a name
 *	process_door.c		who connects, and whether it is who it says
 *	process_line.c		partners, and the lines to them
 *	process_watch.c		which lines are looked at, who is woken
 *	process_find.c		where the next message is
 *	process_wait.c		what calls sleep on
 *	process_move.c		messages
 *
 * A *station* is what this process is to others in a realm: a name with a door,
 * or nobody in particular.  A *partner* is another process as one station knows
 * it, a *line* a channel to it.  All handles of a process that belong together
 * share a station, and what happens in it happens under its lock, which nobody
 * holds while it sleeps.
 *
 * One link a pair.  Two processes with names may connect to each other at the
 * same time, and then have two lines for a while:
 *
 *   P1  a process sends to another through one line at a time, `out`, and makes
 *       one only when it knows of none
 *   P2  of two lines that crossed, that of the smaller name remains; the greater
 *       closes its own, after what it sent there, before it sends on the other
 *   P3  the smaller one reads the greater's line to its end before it reads the
 *       first message from its own: when it sees that one, it first admits all
 *       who are at its door, and who sent it had connected there before
 *
 * So a message that was accepted later is read later, and none is lost while
 * both live.  Accepted: as in a channel (shm/ring.h).
 *
 * Who sleeps.  A line is *active* while somebody may find something by looking
 * at it; before a receiver sleeps it arms the active ones, from which on they
 * ring.  Several handles may wait for the same bell, and who reads it may not be
 * the one it rang for; so who finds something after it has read a bell nudges all
 * others of the station.
 */
#ifndef FERRYI_LINK_PROCESS_H
#define FERRYI_LINK_PROCESS_H

#include <pthread.h>

#include "link/channel.h"
#include "realm/realm.h"
#include "wire/hello.h"

/* Connections that have not said everything yet; the oldest makes room. */
#define FERRYI_PROCESS_ASIDE 32u

struct ferryi_station;
struct ferryi_partner;

/* Sides of a handle. */
enum { FERRYI_SENDING, FERRYI_RECEIVING };

struct ferryi_line {
	struct ferryi_partner *partner;
	struct ferryi_line *behind; /* the next line of the same partner */
	struct ferry_link *channel;
	char *from;    /* the partner's address, or NULL: it has no name */
	pid_t pid;     /* of the other side */
	unsigned at;   /* its place among the active ones */
	unsigned pins; /* messages and sleepers that need it */
	uint64_t room; /* how much had been read when somebody last looked */
	int64_t looked_at;
	bool made;    /* by us */
	bool settled; /* nothing is in front of it any more (P3) */
	bool watched; /* it is the first of its partner: in the set */
	bool active;
	bool lent; /* a loan is out */
	bool over; /* its partner has lost it; it is freed with the last pin */
};

struct ferryi_partner {
	struct ferryi_partner *next;
	struct ferryi_station *station;
	char name[FERRY_NAME_MAX + 1]; /* "": it has none */
	struct ferryi_line *lines;     /* in the order in which they are read */
	struct ferryi_line *out;       /* what we send on; NULL: none yet */
	struct ferryi_line *heir;      /* what `out` is given up for (P2) */
	unsigned users;		       /* handles that name it */
	unsigned readers;	       /* those of them that receive */
	unsigned losses;	       /* how often `out` broke */
	unsigned ends;		       /* how often it ended, and how last */
	int how;
};

/* Who has connected and not said everything. */
struct ferryi_aside {
	struct ferryi_hello hello;
	bool greeted;
	bool is_verified; /* the name, where there is one */
	int fd;
};

struct ferryi_station {
	struct ferryi_station *next;
	pthread_mutex_t lock;
	uint32_t generation; /* of the process whose it is */
	char name[FERRY_NAME_MAX + 1];
	char directory[FERRYI_SOCKET_PATH_MAX + 1];
	bool is_default;
	unsigned users;	    /* handles */
	unsigned receivers; /* those that hold the name */

	struct ferry_link *door; /* NULL: no name, or given up */
	int certificate;	 /* process_door.c */
	struct ferryi_aside aside[FERRYI_PROCESS_ASIDE]; /* oldest first */
	unsigned n_aside;

	int all, doors; /* sets: everything; the door and who is aside */
	struct ferryi_partner *partners;
	struct ferryi_line **active;
	unsigned n_active, n_lines, room; /* room for so many */
	unsigned turn;			  /* whose it is to be looked at */
	struct ferryi_line *stays; /* its next message stays the next one */
	unsigned served;
	struct ferryi_process *handles;
};

/* A message that a handle has lent or taken. */
struct ferryi_process_held {
	struct ferryi_line *line;
	uint64_t at; /* of a loan: UINT64_MAX */
};

/* The state of a link. */
struct ferryi_process {
	struct ferryi_process *next;
	struct ferryi_station *station;
	struct ferryi_partner *partner; /* NULL: receives from all */
	bool holds_name;
	uint32_t ring_log2;
	unsigned losses, ends; /* of the partner, that were told */

	/* by side */
	bool opened;
	int nudge[2];
	bool asleep[2];
	struct ferryi_line *waits_on[2]; /* pinned */
	struct ferryi_line *sending;	 /* what had no room */

	struct ferryi_process_held *held;
	size_t n_held, room_held;
};

static inline struct ferryi_process *ferryi_process_of(struct ferry_link *l)
{
	return l->state;
}

/* --- process_station.c -------------------------------------------------------- */

/* What an address names. */
struct ferryi_process_place {
	char name[FERRY_NAME_MAX + 1];
	char directory[FERRYI_SOCKET_PATH_MAX + 1];
	bool is_default;
};
int ferryi_process_place(const struct ferryi_address *a, bool make_realm,
			 struct ferryi_process_place *out);

/* Become a user of the station that has this name in this process, which is
 * registered when it is not.  -EAGAIN: somebody comes or goes just now. */
int ferryi_station_register(struct ferryi_station **out, struct ferry_link *l,
			    const struct ferryi_address *a,
			    const struct ferryi_process_place *p);

/* Or of the one from which this process sends; `as` may be NULL. */
int ferryi_station_to_send(struct ferryi_station **out, struct ferry_link *l,
			   const char *as,
			   const struct ferryi_process_place *to);

/* A handle of it ends. */
void ferryi_station_leave(struct ferryi_station *s, bool held_name);

/* --- process_name.c --------------------------------------------------------- */

/* -EAGAIN, or the error of a bind.  `l` is for sentences. */
int ferryi_door_open(struct ferryi_station *s, struct ferry_link *l,
		     const struct ferryi_address *a);
void ferryi_door_close(struct ferryi_station *s);

/* Where the name's socket lies. */
int ferryi_door_path(const char *directory, const char *name,
		     char out[FERRYI_SOCKET_PATH_MAX + 1]);

/* Remove the door that a dead process has left.  -EBUSY: it lives. */
int ferryi_door_destroy(const char *name);

/* Who listens at a path; pid 0: somebody of a foreign name space; -ENOENT: nobody,
 * -EAGAIN: too many are at its door. */
int ferryi_door_holder(const char *path, struct ferry_process *out);

/* --- process_door.c --------------------------------------------------------- */

static inline int ferryi_door_socket(const struct ferryi_station *s)
{
	return ((struct ferryi_endpoint *)s->door->state)->in;
}

/* Let in who has said everything.  1: all of them, 0: there may be more; or why
 * nobody can be let in. */
int ferryi_door_admit(struct ferryi_station *s);

/* Somebody has connected; or is not waited for any longer. */
int ferryi_door_put_aside(struct ferryi_station *s, int fd);
void ferryi_door_turn_away(struct ferryi_station *s, unsigned i);

/* Say to the socket of a connection who we are. */
int ferryi_door_greet(struct ferryi_station *s, int fd);

/* --- process_watch.c -------------------------------------------------------- */

/* Wake everybody of the station who sleeps. */
void ferryi_station_nudge(struct ferryi_station *s);

/* Before a line is made: that it can become active must not fail later. */
int ferryi_station_reserve(struct ferryi_station *s);

void ferryi_line_activate(struct ferryi_line *line);
void ferryi_line_rest(struct ferryi_line *line); /* armed: it will ring */

/* The first line of a partner is watched, the others are not. */
int ferryi_partner_watch_first(struct ferryi_partner *p);
void ferryi_line_unwatch(struct ferryi_line *line);

/* --- process_line.c --------------------------------------------------------- */

int ferryi_partner_join(struct ferryi_station *s, const char *name,
			bool receives, struct ferryi_partner **out);
void ferryi_partner_leave(struct ferryi_partner *p, bool received);

/* What to send on: `out`, or the one it is given up for (P2); NULL: none. */
struct ferryi_line *ferryi_partner_out(struct ferryi_partner *p);

/* Connect.  -EAGAIN: too many are at its door; -ENOENT: nobody has the name. */
int ferryi_line_make(struct ferryi_partner *p, struct ferry_link *l);

/* Somebody has connected; the channel is the station's from now on. */
int ferryi_line_accept(struct ferryi_station *s, struct ferry_link *channel,
		       const char *name);

/* The first line of its partner ended like this. */
void ferryi_line_end(struct ferryi_line *line, int how);

/* It takes no more messages of ours. */
void ferryi_line_lose(struct ferryi_line *line);

/* Nobody has the other end any more. */
bool ferryi_line_is_cut(const struct ferryi_line *line);

void ferryi_line_pin(struct ferryi_line *line);
void ferryi_line_unpin(struct ferryi_line *line);
/* All lines are closed, all partners without a handle forgotten. */
void ferryi_station_hang_up(struct ferryi_station *s, bool all);

static inline const struct ferryi_messages *ferryi_line_calls(
	const struct ferryi_line *line)
{
	return line->channel->messages;
}

/* --- process_find.c --------------------------------------------------------- */

/* The line that has the next message.  -EAGAIN; or how a partner ended, told once. */
int ferryi_process_find(struct ferry_link *l, struct ferryi_line **out);

/* --- process_wait.c --------------------------------------------------------- */

/* What to sleep on.  0, or 1: look again. */
int ferryi_process_want(struct ferry_link *l, unsigned side,
			struct ferryi_wait *w);

/* --- process_move.c --------------------------------------------------------- */

/* -ESTALE in a forked child. */
int ferryi_process_enter(struct ferry_link *l);

/* The same, and lock the station. */
int ferryi_process_lock(struct ferry_link *l);

/* What it holds is given back. */
void ferryi_process_drop_held(struct ferryi_process *h);

extern const struct ferryi_messages ferryi_messages_of_process;

#endif
