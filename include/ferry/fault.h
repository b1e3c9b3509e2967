/* SPDX-License-Identifier: MIT */
/*
 * Faults on purpose: "fault+" before any address, and the faults among its keys,
 * gives a link that is the one behind it, with faults.
 *
 *   fault+udp:127.0.0.1:7000?seed=7&drop=10%&reorder=0.1
 *
 *   seed=N          what the decisions are drawn from; 1
 *   drop=P          a message is accepted and does not go out
 *   dup=P           it goes out twice
 *   reorder=P       it is held back and goes out right behind the next one, and when
 *                   there is none, with ferry_shutdown() or ferry_close()
 *   damage=P        one bit of it is flipped; not of an empty one
 *   delay=DURATION  it waits a time from 0 to that long before it goes on
 *   cut=N           behind N messages, or bytes of a stream, the connection is
 *                   broken: -ECONNRESET, and the other side sees an end
 *
 * P is a probability, 0.1 or 10%.  All other keys are those of the address behind
 * "fault+".  The same seed and the same messages meet the same faults, whatever the
 * time.  Faults happen where the link sends; on a link that was opened to receive
 * only, where it receives.  Without a fault such a link does what the one behind it
 * does.  A stream has no messages to drop, double or reorder: -EOPNOTSUPP; its writes
 * are delayed and damaged, or what each read finds.
 */
#ifndef FERRY_FAULT_H
#define FERRY_FAULT_H

#include <stdbool.h>
#include <ferry/link.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a link has done so far; passed and dropped are all there were, but for those
 * that it holds.  Of a stream: bytes that passed, bits damaged, writes
 * delayed, or reads. */
struct ferry_fault_stat {
	size_t size; /* sizeof(struct ferry_fault_stat), set by the caller */
	uint64_t passed; /* went on, once or twice, late, damaged or not */
	uint64_t dropped;
	uint64_t doubled;
	uint64_t reordered; /* went on behind one that came later */
	uint64_t damaged;
	uint64_t delayed;
	bool cut;
};

/*
 * What has been done to the messages of a link whose address begins with "fault+".
 * Never blocks.  -EOPNOTSUPP: it does not.  -EINVAL: the size is not set.
 */
FERRY_API int ferry_fault_stat(struct ferry_link *link,
			       struct ferry_fault_stat *st);

#ifdef __cplusplus
}
#endif
#endif
