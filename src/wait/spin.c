/* SPDX-License-Identifier: MIT */
/* See spin.h. */
#include "wait/spin.h"

#include "sys/clock.h"

#define SKIP_MAX 1023u

#define STEP_NS	    1000
#define STEPS	    16u
#define STEP_BRINGS 2u /* messages that make another step worth it */
#define PAYS	    8u /* messages that make it worth it */
#define GAP_MIN	    32u
#define GAP_MAX	    4096u

#define get(p)	  __atomic_load_n((p), __ATOMIC_RELAXED)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)

void ferryi_spin_relax(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Whether one is due, of which all but every (n+1)-th are left out. */
static bool count_down(uint32_t *left)
{
	uint32_t n = get(left);

	if (n > 0)
		put(left, n - 1);
	return n == 0;
}

int64_t ferryi_spin_begin(struct ferryi_spin *s, int64_t short_ns)
{
	if (short_ns == 0 || !count_down(&s->left))
		return 0;
	return get(&s->far) ? short_ns * FERRYI_SPIN_REACH : short_ns;
}

void ferryi_spin_end(struct ferryi_spin *s, bool found)
{
	uint32_t skip = found ? 0 : get(&s->skip) * 2 + 1;

	skip = skip < SKIP_MAX ? skip : SKIP_MAX;
	put(&s->skip, skip);
	put(&s->left, skip);
	if (!found)
		put(&s->far, 0);
}

void ferryi_spin_slept(struct ferryi_spin *s, bool was_short)
{
	if (get(&s->far) != was_short)
		put(&s->far, was_short);
}

static void pass_time(int64_t ns)
{
	int64_t end = ferryi_now() + ns;

	while (ferryi_now() < end)
		ferryi_spin_relax();
}

/* Whether it was worth it. */
static bool gather(ferryi_gathered_fn *gathered, void *of)
{
	unsigned enough, before = gathered(of, &enough), n = before, was;

	for (unsigned i = 0; i < STEPS; i++) {
		was = n;
		pass_time(STEP_NS);
		n = gathered(of, &enough);
		if (n >= enough || n < was + STEP_BRINGS)
			break;
	}
	return n >= PAYS || n >= enough;
}

void ferryi_spin_gather(struct ferryi_spin *s, ferryi_gathered_fn *gathered,
			void *of)
{
	uint32_t gap = get(&s->gap);

	if (!count_down(&s->trial))
		return;
	if (gather(gathered, of)) {
		gap = 0;
	} else {
		gap = gap < GAP_MIN ? GAP_MIN : gap * 2;
		gap = gap < GAP_MAX ? gap : GAP_MAX;
	}
	put(&s->gap, gap);
	put(&s->trial, gap);
}
