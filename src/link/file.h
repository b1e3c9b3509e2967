/* SPDX-License-Identifier: MIT */
/* What the files of file: share. */
#ifndef FERRYI_LINK_FILE_H
#define FERRYI_LINK_FILE_H

#include <stdint.h>
#include <sys/stat.h>

#include "link/copies.h"
#include "link/link.h"

struct ferryi_figures;

/* The senders' lock: far behind all bytes, so that nobody else's locks are met. */
#define FERRYI_FILE_LOCK_AT (UINT64_C(1) << 62)

/*
 * Each direction has an open file of its own: two threads use them at once, and a
 * lock belongs to an open file.  The one that sends is no forked child's: file_own.c.
 */
struct ferryi_file {
	bool opened;
	char *path; /* from the root */
	uint64_t max;
	bool sync;

	struct {
		int fd;
		uint32_t generation;
		struct stat is; /* that file */
		uint64_t end;	/* of the last whole record; 0: not known */
		struct ferryi_file *next;
	} out;

	struct {
		int fd;
		uint64_t at;	 /* of the next record */
		bool is_log;	 /* the first line was there */
		uint64_t barren; /* size in which nothing was found at `at` */
		int watch;	 /* -1: none */
		uint32_t generation; /* of the process that watches; 0: none does */
		bool woken;	     /* there may be news to forget */
	} in;

	ferry_time nap[2]; /* [0] send side, [1] receive side */
	struct ferryi_copies copies;
};

static inline struct ferryi_file *ferryi_file_of(struct ferry_link *l)
{
	return l->state;
}

/* The file's size; -ESTALE when the path is no longer that of the open file, and
 * the sentence says so. */
int ferryi_file_replaced(struct ferry_link *l, int fd);
int ferryi_file_stale(struct ferry_link *l, const char *what);
int ferryi_file_trouble(struct ferry_link *l, int err, const char *doing);

/* file_open.c */
int ferryi_file_open(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_file_destroy(const char *rest);

/* file_figures.c */
int ferryi_file_figures(const char *rest, struct ferryi_figures *out);

/* file_own.c: open the file to send, or make it; an error of the system. */
int ferryi_file_own(struct ferryi_file *f, unsigned mode, bool *made);
void ferryi_file_disown(struct ferryi_file *f);
/* In a forked child, before it sends: a file of its own. */
int ferryi_file_own_again(struct ferry_link *l);

/* file_append.c */
int ferryi_file_append(struct ferry_link *l, const void *data, size_t len);

/* file_read.c */
ssize_t ferryi_file_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_file_next_len(struct ferry_link *l);
int ferryi_file_take(struct ferry_link *l, struct ferry_message *m);

#endif
