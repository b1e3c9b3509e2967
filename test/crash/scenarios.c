/* SPDX-License-Identifier: MIT */
/*
 * The tables, one behind the other.
 */
#include <stddef.h>

#include "scenario.h"

static const struct scenario *const tables[] = {
	scenarios_send, scenarios_take, scenarios_death,
	scenarios_life, scenarios_stop,
};

size_t scenario_size(const struct scenario *sc)
{
	return sc->size ? sc->size : 32;
}

const struct scenario *scenario_at(int i)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (const struct scenario *s = tables[t]; s->name; s++)
			if (i-- == 0)
				return s;
	return NULL;
}
