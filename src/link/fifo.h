/* SPDX-License-Identifier: MIT */
/*
 * What the files of fifo: share.
 *
 *	fifo.c		the transport: bytes, ends, waits
 *	fifo_file.c	the file: where it lies, who makes it, who removes it
 *	fifo_meet.c	fifo:PATH with listen and accept: clients announce
 *			themselves at a well-known FIFO
 *	fifo_sweep.c	what killed clients have left
 *	fifo_twin.c	fifo:PATH?duplex: two FIFOs that any program can use
 */
#ifndef FERRYI_LINK_FIFO_H
#define FERRYI_LINK_FIFO_H

#include <limits.h>
#include <sys/stat.h>

#include "link/endpoint.h"
#include "wire/announce.h"

#define FERRYI_FIFO_BACK ".back" /* behind the name: from who listens */

/* Why an open has to look again. */
enum ferryi_fifo_lack {
	FERRYI_LACKS_FILE,
	FERRYI_LACKS_READER,
	FERRYI_LACKS_TURN,   /* another client is connected, or was */
	FERRYI_LACKS_LOCK,   /* of the directory */
	FERRYI_LACKS_ACCEPT, /* announced, and not accepted yet */
};

struct ferryi_fifo {
	struct ferryi_endpoint end; /* first */
	bool begun;		    /* the descriptors below are set, or -1 */

	/* the file */
	int dir;
	char file[NAME_MAX + 1]; /* its name in dir */
	unsigned mode;
	bool made;     /* by us, and ours to remove */
	bool accepted; /* a client's: whoever has the link removes it */
	dev_t dev;
	ino_t ino;
	uint32_t generation; /* of the process that made it */

	bool keeps; /* receives from writer after writer */
	bool twin;
	int hold; /* a writing end of our own: there is never an end */

	/* an end */
	bool met;    /* a writer has been seen */
	bool left;   /* nobody reads f->end.out, and no writer has been seen */
	bool over;   /* no more will come */
	bool cut;    /* over, and not in order */
	bool broken; /* nobody reads what we would send */

	/* a client on its way */
	enum ferryi_fifo_lack lack;
	int knock;	 /* the well-known FIFO, to write */
	uint64_t number; /* of the connection; 0: none yet */
	bool announced;
	ferry_time unread; /* when that was last seen unread, or written */

	/* a door: the beginning of an announcement, and the number of a client
	 * for whom no descriptor was left; 0: none */
	unsigned char note[FERRYI_ANNOUNCE_SIZE];
	size_t n_note;
	uint64_t deferred;
};

static inline struct ferryi_fifo *ferryi_fifo_of(struct ferry_link *l)
{
	return l->state;
}

/* --- fifo_file.c ------------------------------------------------------------- */

/* First of all: the state, and the directory of the file.  Any number of times. */
int ferryi_fifo_begin(struct ferry_link *l, const struct ferryi_address *a);

/*
 * Open the file to read, as the only one; it is made where there is none.  With
 * `afresh` one that nobody reads is replaced.  A descriptor; -EAGAIN: somebody comes
 * or goes just now.
 */
int ferryi_fifo_take(struct ferry_link *l, bool afresh);

/* Open the file to write.  -EAGAIN: `lack` says what for. */
int ferryi_fifo_reach(struct ferry_link *l);

/* Make `name` beside it, and open it to read. */
int ferryi_fifo_make_beside(struct ferry_link *l, const char *name,
			    unsigned mode, int64_t gid);

/* Remember that the open FIFO `fd`, called f->file, is ours to remove. */
int ferryi_fifo_own(struct ferryi_fifo *f, int fd);

/* Remove what is ours to remove. */
void ferryi_fifo_remove(struct ferryi_fifo *f);

/* The name of the second FIFO of a twin. */
void ferryi_fifo_back(const char *file, char out[NAME_MAX + 1]);

int ferryi_fifo_destroy(const char *rest);

/* Is it still what the name in `dir` means? */
bool ferryi_fifo_is(int dir, const char *name, int fd);

/* An error of the system about the file, as a sentence. */
int ferryi_fifo_fail(struct ferry_link *l, int err);

/* --- fifo_sweep.c -------------------------------------------------------------- */

/* With the lock of the directory: remove the FIFOs of connections that no process
 * has any more. */
void ferryi_fifo_sweep(int dir);

/* --- fifo_meet.c, fifo_twin.c ------------------------------------------------ */

int ferryi_fifo_meet_listen(struct ferry_link *l);
int ferryi_fifo_meet_accept(struct ferry_link *door, struct ferry_link *peer);
int ferryi_fifo_meet_open(struct ferry_link *l);
void ferryi_fifo_meet_forget(struct ferryi_fifo *f); /* a client that gave up */

/* An accepted link reads no more: remove its name, if no other process has the link. */
void ferryi_fifo_meet_left(struct ferryi_fifo *p);

int ferryi_fifo_twin_listen(struct ferry_link *l);
int ferryi_fifo_twin_accept(struct ferry_link *door, struct ferry_link *peer);
int ferryi_fifo_twin_open(struct ferry_link *l);

#endif
