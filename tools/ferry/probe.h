/* SPDX-License-Identifier: MIT */
/*
 * What the files of `ferry probe` share: probe_message.c makes and judges the
 * messages, probe_ends.c moves them, cmd_probe.c has both ends and the report.
 */
#ifndef FERRY_TOOLS_PROBE_H
#define FERRY_TOOLS_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <ferry.h>

#define PROBE_LEAST	64u /* bytes of a message: its head */
#define PROBE_COUNT_MAX 100000000u
#define PROBE_SIZE_MAX	(64u << 20)

struct probe {
	const char *name; /* as the user wrote it */
	char sends[4200]; /* the address of the sender, with its faults */
	char plain[4200]; /* of everybody else */
	bool connects;	  /* listen and accept, else open and open */
	bool pairs;
	bool ends; /* with ferry_shutdown() */
	uint64_t count, size, seed;
	int64_t patience;
};

/* Where an address leads, and how.  False: it is no address that can be probed. */
bool probe_understand(struct probe *p, const char *address);

/* What came.  Numbers of messages. */
struct probe_counts {
	uint64_t received; /* those below among them, but for the foreign */
	uint64_t distinct, doubled, reordered, damaged, foreign;
	uint64_t announced; /* how many there are, as they say; 0: unknown */
	uint64_t rate;	    /* a second */
	uint64_t p50, p99, max; /* of the latency, us */
};

/* --- probe_message.c ------------------------------------------------------- */

/* Message `number` of p->count; p->count itself says that there are no more. */
void probe_write(const struct probe *p, void *buf, uint64_t number);

struct probe_judge;

struct probe_judge *probe_judge_new(const struct probe *p);
void probe_judge_free(struct probe_judge *j);

/* Returns true for the one that says that there are no more. */
bool probe_judge(struct probe_judge *j, const void *buf, size_t len);
void probe_judge_counts(struct probe_judge *j, struct probe_counts *out);

/* --- probe_ends.c ----------------------------------------------------------- */

/* Send all, and say that it was all.  0 or an exit status; *sent is how many were
 * accepted.  Closes the link. */
int probe_send(const struct probe *p, struct ferry_link *l, uint64_t *sent,
	       struct ferry_fault_stat *injected);

/* Receive until the end.  0 or an exit status. */
int probe_receive(const struct probe *p, struct ferry_link *l,
		  struct probe_counts *out);

/* The receiving end of an address: opened, or accepted.  Writes a byte to `ready`,
 * unless that is < 0, when a sender may come. */
int probe_open_receiver(const struct probe *p, struct ferry_link **out,
			int ready);

#endif
