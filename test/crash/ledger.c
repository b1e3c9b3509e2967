/* SPDX-License-Identifier: MIT */
/*
 * Keeping the ledger and settling it.
 */
#include "ledger.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "payload.h"

struct ledger *ledger;

const char *const fault_name[FAULT_KINDS] = {
	"hang",	   "lost", "duplicate", "after-ack",
	"damaged", "leak", "order",	"other",
};

bool ledger_make(void)
{
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return ledger != MAP_FAILED;
}

void ledger_clear(void)
{
	memset(ledger, 0, sizeof(*ledger));
	for (int i = 0; i < LEDGER_ACTORS; i++)
		sem_init(&ledger->actor[i].go, 1, 0);
}

int ledger_total(void)
{
	int n = 0;

	for (int i = 0; i < FAULT_KINDS; i++)
		n += ledger->faults[i];
	return n;
}

void violate(enum fault kind, const char *fmt, ...)
{
	int i = __atomic_fetch_add(&ledger->n_texts, 1, __ATOMIC_SEQ_CST);
	va_list ap;
	int n;

	__atomic_fetch_add(&ledger->faults[kind], 1, __ATOMIC_SEQ_CST);
	if (i >= LEDGER_TEXTS)
		return;
	n = snprintf(ledger->text[i], sizeof(ledger->text[i]), "[%s] ",
		     fault_name[kind]);
	va_start(ap, fmt);
	vsnprintf(ledger->text[i] + n, sizeof(ledger->text[i]) - (size_t)n, fmt,
		  ap);
	va_end(ap);
}

long ledger_deliver(const struct ferry_message *m, size_t size)
{
	long id = payload_check(m->data, m->len, size);
	struct entry *e;
	int before;

	if (id < 0 || id >= LEDGER_IDS) {
		violate(FAULT_DAMAGED, "a message of %zu bytes is damaged",
			m->len);
		return -1;
	}
	e = &ledger->entry[id];
	before = __atomic_fetch_add(&e->seen, 1, __ATOMIC_SEQ_CST);
	if (e->acked)
		violate(FAULT_AFTER_ACK, "message %ld came after its ack", id);
	else if (before && !m->redelivered)
		violate(FAULT_DUPLICATE, "message %ld came again unmarked", id);
	if (!e->began)
		violate(FAULT_DAMAGED, "message %ld was never sent", id);
	if (m->sender.pid != e->sender)
		violate(FAULT_DAMAGED, "message %ld names sender %d, not %d",
			id, (int)m->sender.pid, (int)e->sender);
	return id;
}

void ledger_settle(uint64_t may_be_missing)
{
	uint64_t missing = 0;

	for (int id = 0; id < LEDGER_IDS; id++) {
		struct entry *e = &ledger->entry[id];

		if (!e->accepted || e->acked || e->dead || e->ending)
			continue;
		if (missing++ < may_be_missing)
			continue;
		violate(FAULT_LOST,
			"message %d was accepted, seen %d times, "
			"and is gone",
			id, e->seen);
	}
}
