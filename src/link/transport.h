/* SPDX-License-Identifier: MIT */
/*
 * The contract between the core (link.c) and a transport.
 *
 * A transport is one file with one const table: its row for people, its life,
 * and what it moves, messages or a stream.  What is absent answers
 * -EOPNOTSUPP in the core; nobody writes `switch (scheme)`.
 *
 * Rules, the same for every function below:
 *   - It never sleeps.  What would wait is -EAGAIN; interest() then says what
 *     to wait for, and the core sleeps, counts the deadline and cancels.
 *   - Success of send: the data is taken.  Failure: all of it is still the
 *     caller's.
 *   - It never calls up into the core.
 *   - Unless `concurrent` is set the core makes at most one call per direction
 *     at a time (send side, receive side) on a link.
 *   - The first fatal error of a connection is remembered by the transport and
 *     repeated.
 *   - init values: the core hands over zeroed state of `state_size` bytes.
 *     fini() comes last, exactly once, and accepts a half-built object.
 */
#ifndef FERRYI_LINK_TRANSPORT_H
#define FERRYI_LINK_TRANSPORT_H

#include <ferry/link.h>
#include <ferry/mailbox.h>
#include "wait/wait.h"

struct ferryi_address;
struct ferryi_figures;
struct ferryi_parcel;
struct ferryi_traces;

/* What moves messages.  Any member may be NULL. */
struct ferryi_messages {
	int (*send)(struct ferry_link *l, const void *data, size_t len);
	/* To an address of the same scheme, which the core has not looked at. */
	int (*send_to)(struct ferry_link *l, const char *to, const void *data,
		       size_t len);
	/* With descriptors, 1 ... FERRY_FDS_MAX, all or nothing. */
	int (*send_fds)(struct ferry_link *l, const void *data, size_t len,
			const int *fds, unsigned n);
	/*
	 * -EMSGSIZE: it stays first.  Without it the core takes, copies and
	 * releases; without send it loans, copies and commits.
	 */
	ssize_t (*recv)(struct ferry_link *l, void *buf, size_t size);
	/* At most *n descriptors are given out, the others closed; *n becomes
	 * how many came. */
	ssize_t (*recv_fds)(struct ferry_link *l, void *buf, size_t size,
			    int *fds, unsigned *n);
	/* The first at least, or an error; NULL: one by one. */
	ssize_t (*send_many)(struct ferry_link *l, const struct iovec *v,
			     size_t n);
	ssize_t (*recv_many)(struct ferry_link *l, struct iovec *v, size_t n);
	ssize_t (*next_len)(struct ferry_link *l);
	int (*loan)(struct ferry_link *l, size_t len, struct ferry_message *m);
	int (*commit)(struct ferry_link *l, struct ferry_message *m);
	int (*abandon)(struct ferry_link *l, struct ferry_message *m);
	int (*take)(struct ferry_link *l, struct ferry_message *m);
	int (*release)(struct ferry_link *l, struct ferry_message *m);
	/* To who sent a message that was taken; on the send side.  With send_to,
	 * only to one that has a `from`, and there; NULL: the core does it. */
	int (*reply)(struct ferry_link *l, const struct ferry_message *m,
		     const void *data, size_t len);
	int (*requeue)(struct ferry_link *l, struct ferry_message *m,
		       int64_t delay_ns);
	int (*reject)(struct ferry_link *l, struct ferry_message *m);
	int (*peek)(struct ferry_link *l, uint64_t *cursor,
		    struct ferry_message *m, void *buf, size_t size);
	int (*stat)(struct ferry_link *l, struct ferry_mailbox_stat *st);
};

/* What moves bytes.  Counts of 1..len; -ENODATA at the end. */
struct ferryi_stream {
	ssize_t (*write)(struct ferry_link *l, const void *data, size_t len);
	ssize_t (*read)(struct ferry_link *l, void *buf, size_t size);
};

/* What a wait is for; a commit may need room where a loan needs a chunk. */
enum ferryi_want {
	FERRYI_WANT_RECV,   /* a message, bytes, a connection */
	FERRYI_WANT_SEND,   /* room in the queue or the socket */
	FERRYI_WANT_COMMIT, /* room, for a message that has its chunk */
	FERRYI_WANT_LOAN,   /* a free chunk */
	FERRYI_WANT_OPEN,   /* the connection to be made */
	FERRYI_WANT_CROWD,  /* so many subscribers as w->len says */
};

struct ferryi_transport {
	struct ferry_transport_info info;
	const char *keys; /* "type mode": those an address may have beside
				 * framing, max and timeout; NULL: none */
	/*
	 * A scheme that stands before another one, as fault+unix:, and has
	 * nothing else: the table for both.  Lives for ever.
	 */
	const struct ferryi_transport *(*over)(
		const struct ferryi_transport *inner);
	size_t state_size;
	bool concurrent;      /* safe to call from many threads at once */
	bool sleeps_on_words; /* futex words, not descriptors */
	bool spins;	      /* may be had by looking again (wait/spin.h) */

	/* life */
	/*
	 * open and listen: -EAGAIN: not there yet; wait for FERRYI_WANT_OPEN,
	 * call again.  All four may change the link's tables and flags.
	 */
	int (*open)(struct ferry_link *l, const struct ferryi_address *a);
	int (*listen)(struct ferry_link *l, const struct ferryi_address *a);
	int (*accept)(struct ferry_link *door, struct ferry_link *peer);
	int (*pair)(struct ferry_link *ends[2], const struct ferryi_address *a);
	int (*destroy)(const char *rest); /* remove what an address names */
	/*
	 * By what those who use an address are found.  -ENOENT: it names nothing, or
	 * nobody is there.  The caller frees out->inodes, also after an error.
	 */
	int (*identify)(const char *rest, struct ferryi_traces *out);
	/* How what it names stands; 1: some processes could not be looked into. */
	int (*figures)(const char *rest, struct ferryi_figures *out);

	/*
	 * Calls each() with what comes behind the colon, unescaped, for all objects of
	 * this machine that have a name; one may come twice.  What each() returns other
	 * than 0 ends it, and is returned.  0, 1: there are some without a name; or an
	 * error with a sentence.  NULL: they are files, found by others.
	 */
	int (*names)(int (*each)(const char *rest, void *arg), void *arg);
	int (*adopt)(struct ferry_link *l); /* in the child of a fork */
	/*
	 * To another process (parcel.h).  pack: with both turns; at most
	 * FERRYI_PARCEL_FDS, which stay the link's.  packed: it is on its way,
	 * and this link is freed.  unpack: a new link; on success the descriptors
	 * are its own.
	 */
	int (*pack)(struct ferry_link *l, struct ferryi_parcel *p, int *fds);
	void (*packed)(struct ferry_link *l);
	int (*unpack)(struct ferry_link *l, const struct ferryi_parcel *p,
		      const int *fds);
	/* Instead of them, of a link that has it: a descriptor that any program can
	 * use, close-on-exec; the link is freed. */
	bool (*has_bare)(struct ferry_link *l);
	int (*bare)(struct ferry_link *l);
	/* Called with the turn of the direction. */
	int (*shutdown)(struct ferry_link *l, unsigned direction);
	int (*turn)(struct ferry_link *l); /* half-duplex: pass it */
	int (*peer)(struct ferry_link *l, struct ferry_process *out);
	int (*peer_exit)(struct ferry_link *l, int *status);
	/* The address of this end; its length as snprintf, or an error. */
	int (*local)(struct ferry_link *l, char *buf, size_t size);
	void (*fini)(struct ferry_link *l);

	/*
	 * Called after -EAGAIN.  0: `w` says what to wait for.  1: look again
	 * at once.  Negative: an error that ends the call.
	 */
	int (*interest)(struct ferry_link *l, enum ferryi_want want,
			struct ferryi_wait *w);

	/* Can an event loop wait for that direction?  0, or an error with a
	 * sentence.  NULL: it can. */
	int (*may_poll)(struct ferry_link *l, unsigned direction);

	/* A call ends with `err` after -EAGAIN: take back what it has begun.  The
	 * result of the call, which may be 0: it was done meanwhile. */
	int (*gave_up)(struct ferry_link *l, enum ferryi_want want, int err);

	/* For a receiver that looks again before it sleeps: see wait/spin.h;
	 * `of` is the link.  NULL: it does not let messages gather; looking
	 * again is an attempt. */
	ferryi_gathered_fn *gathered;
	ferryi_glance_fn *glance;

	/* A call that slept ends; its wake-up may have to be handed on. */
	void (*woke)(struct ferry_link *l, const struct ferryi_wait *w);

	/* The sentence for an outcome, e.g. "mailbox jobs is empty (...)".
	 * Returns its length as snprintf, 0: nothing to say. */
	int (*explain)(struct ferry_link *l, int err, char *buf, size_t size);

	const struct ferryi_messages *messages;
	const struct ferryi_stream *stream;
};

#define FERRYI_TRANSPORTS_MOST 32

/* The table, in the order of the manual; ends with NULL. */
extern const struct ferryi_transport *const ferryi_transports[];

#endif
