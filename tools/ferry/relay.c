/* SPDX-License-Identifier: MIT */
/*
 * Both ways of a relay, a thread each, since either may wait for ever; the first
 * one is ours.  See relay.h.
 */
#include "relay.h"

#include <errno.h>
#include <inttypes.h>
#include "cancel.h"
#include "report.h"

void relay_stop(struct relay *r, int status)
{
	int none = 0;

	atomic_compare_exchange_strong(&r->status, &none, status);
	atomic_store(&r->stopping, true);
	/* Once, or it would end the last chance that the other way has already. */
	if (cancelled() || atomic_exchange(&r->cancelled, true))
		return;
	for (int i = 0; i < 2; i++)
		ferry_cancel(r->end[i].link);
}

static int verdict(const struct relay *r, const struct relay_way *ways, int n)
{
	int status = 0;

	if (r->status || r->n_passed)
		return r->status;
	for (int i = 0; i < n; i++)
		if (ways[i].end == -EAGAIN || ways[i].end == -ETIMEDOUT)
			status = ferry_error_status(ways[i].end);
	return status;
}

static int move(struct relay *r)
{
	struct relay_way ways[2];
	pthread_t other;
	int err;

	for (int i = 0; i < 2; i++) {
		ways[i] = (struct relay_way){ .relay = r,
					      .from = &r->end[i],
					      .to = &r->end[!i] };
		cancel_on_signals_too(r->end[i].link, i);
	}
	if (cancelled())
		return STATUS_NO;
	err = r->both ? pthread_create(&other, NULL, relay_move, &ways[1]) : 0;
	if (err)
		return report_sys("thread", err);
	relay_move(&ways[0]);
	if (r->both)
		pthread_join(other, NULL);
	note("%s: %" PRIu64 " %s were passed on", r->end[0].name, r->n_passed,
	     r->end[0].stream ? "pieces" : "messages");
	return verdict(r, ways, r->both ? 2 : 1);
}

int relay(const char *a, const char *b, const struct relay_options *o)
{
	struct relay r = { .o = o, .lock = PTHREAD_MUTEX_INITIALIZER };
	int status;

	status = relay_open(&r, a, b);
	atomic_store(&r.active_at, ferry_after(0));
	if (!status)
		status = move(&r);
	cancel_forget();
	for (int i = 0; i < 2; i++)
		ferry_close(r.end[i].link);
	return status;
}
