/* SPDX-License-Identifier: MIT */
/* What the two files about faults share. */
#ifndef FERRY_TEST_CONFORM_FAULT_H
#define FERRY_TEST_CONFORM_FAULT_H

#include "conform.h"

/* Two ends that keep boundaries, with faults by that seed. */
void pair_with_faults(struct ferry_link *ends[2], const char *keys,
		      unsigned seed);

void read_faults(struct ferry_link *l, struct ferry_fault_stat *st);

#endif
