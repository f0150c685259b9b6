package regalloc
