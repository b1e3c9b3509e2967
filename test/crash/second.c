/* SPDX-License-Identifier: MIT */
/*
 * The recoverer of a double kill.
 *
 * It repairs after the victim and is killed at its own instruction j, so that
 * a third one finds two deaths, one in the middle of the repair of the other.
 *
 * Where somebody sleeps, the kernel would tell a sleeper of the victim's death,
 * who would repair as well, now before the recoverer and now after it.  So
 * the sleepers are stopped while the recoverer is driven, and go on before it is
 * killed: its death is the one that they hear.  It takes part in the realm
 * beforehand then, or it could die before anybody would be told.
 */
#include "round.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "deed.h"
#include "look.h"

/* Looks in a row, of a sleeper that went on. */
#define ASLEEP_LOOKS 3

const char *const second_name[SECOND_KINDS] = { "cleans up", "comes in" };

static enum second_kind kind;
static bool beforehand;
static struct stepper stepper;

static void come_in(void)
{
	struct ferry_link *box = NULL;
	struct ferry_message m;
	int err = ferry_open(&box, "box", FERRY_DUPLEX);

	if (err && err != -ENOENT)
		violate(FAULT_OTHER, "open after the death: %s",
			ferry_error_name(err));
	if (err)
		return;
	if (deed_take(box, &m, FERRY_NOWAIT) == 0)
		deed_release(&m);
	ferry_close(box);
}

void second_start(const struct orders *o)
{
	kind = o->kind;
	beforehand = o->sc->receivers || o->sc->senders;
}

void second_be(struct actor *a)
{
	if (beforehand)
		deed_open("box");
	step_trace_me();
	deed_stepped();
	step_begin(&ledger->marks);
	if (kind == CLEANS_UP)
		deed_gc();
	else
		come_in();
	step_end(&ledger->marks);
	a->done = 1;
	pause();
}

void second_attach(struct round *r)
{
	sem_post(&r->second->go);
	if (!step_attach(&stepper, r->second->pid, &ledger->marks))
		violate(FAULT_OTHER, "the recoverer does not stop");
}

static void await_state(const struct actor *a, int how)
{
	int status;

	while (waitpid(a->pid, &status, how) < 0)
		if (errno != EINTR)
			return;
}

void second_await(struct round *r)
{
	for (int i = 0; i < r->n_sleepers; i++) {
		kill(r->sleeper[i]->pid, SIGSTOP);
		await_state(r->sleeper[i], WUNTRACED);
	}
}

/* Until it has ended its call or sleeps again; the audit says if neither. */
static void let_go_on(const struct actor *a)
{
	struct look_limit limit = look_limit(HANG_S);
	int looks = 0;

	kill(a->pid, SIGCONT);
	await_state(a, WCONTINUED);
	while (!a->done && looks < ASLEEP_LOOKS && !look_is_over(&limit)) {
		looks = look_in_futex(a->pid) ? looks + 1 : 0;
		look_pause_us(50);
	}
}

void second_drive(struct round *r, const struct orders *o)
{
	/* The marks were the victim's. */
	memset(&ledger->marks, 0, sizeof(ledger->marks));
	if (o->to_its_end) {
		stepper.record = o->second;
		ledger->second_outcome = step_to(&stepper, LONG_MAX);
	} else {
		ledger->second_outcome = step_run_to(&stepper, o->second, o->j);
	}
	for (int i = 0; i < r->n_sleepers; i++)
		let_go_on(r->sleeper[i]);
	r->killed_at = look_clock();
	step_kill(&stepper);
}
