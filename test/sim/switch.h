/* SPDX-License-Identifier: MIT */
/*
 * Coroutines: one stack for each simulated process, and a switch that keeps
 * what the ABI says a call keeps.  (swapcontext() makes a system call each time,
 * which would be most of what the simulation does.)
 */
#ifndef SIM_SWITCH_H
#define SIM_SWITCH_H

#include <stddef.h>

/* Keep this stack's pointer in *save and go on where `to` was kept. */
void sim_switch(void **save, void *to);

/* The stack pointer of a coroutine that will begin with `entry`, which never
 * returns. */
void *sim_stack(void *stack, size_t size, void (*entry)(void));

#endif
