//! The spanning tree of the network simplex method.
//!
//! Nodes are the sources, then the sinks, then a root; every node but the root has an arc to its parent. Arcs lead from sources to sinks
//! and, for the tree to start with, from sources to the root and from there to sinks; so the arc of a source leads up, that of a
//! sink down.

const NONE: u32 = u32::MAX;

pub(super) struct Tree {
    sources: usize,
    parent: Vec<u32>,
    depth: Vec<u32>,
    first_child: Vec<u32>,
    next: Vec<u32>,
    previous: Vec<u32>,
    /// Mass on the arc to the parent.
    pub(super) flow: Vec<f64>,
    /// `c(arc) = potential(tail) − potential(head)` on the tree's arcs.
    pub(super) potential: Vec<f64>,
    stack: Vec<u32>,
}

impl Tree {
    /// All nodes hang on the root, whose arcs cost `toll`.
    pub(super) fn star(supply: &[f64], demand: &[f64], toll: f64) -> Self {
        let (sources, root) = (supply.len(), supply.len() + demand.len());
        let mut flow: Vec<f64> = supply.iter().chain(demand).copied().collect();
        flow.push(0.0);
        let mut tree = Self {
            sources,
            parent: vec![NONE; root + 1],
            depth: vec![0; root + 1],
            first_child: vec![NONE; root + 1],
            next: vec![NONE; root + 1],
            previous: vec![NONE; root + 1],
            flow,
            potential: vec![0.0; root + 1],
            stack: Vec::new(),
        };
        for node in 0..root {
            tree.attach(node as u32, root as u32);
            tree.depth[node] = 1;
            tree.potential[node] = if node < sources { toll } else { -toll };
        }
        tree
    }

    /// Whether the arc of `node` leads to its parent.
    fn leads_up(&self, node: u32) -> bool {
        (node as usize) < self.sources
    }

    pub(super) fn root(&self) -> u32 {
        self.parent.len() as u32 - 1
    }

    pub(super) fn parent(&self, node: u32) -> u32 {
        self.parent[node as usize]
    }

    fn attach(&mut self, node: u32, parent: u32) {
        let first = self.first_child[parent as usize];
        self.next[node as usize] = first;
        self.previous[node as usize] = NONE;
        if first != NONE {
            self.previous[first as usize] = node;
        }
        self.first_child[parent as usize] = node;
        self.parent[node as usize] = parent;
    }

    fn detach(&mut self, node: u32) {
        let (parent, next, previous) =
            (self.parent[node as usize], self.next[node as usize], self.previous[node as usize]);
        if previous == NONE {
            self.first_child[parent as usize] = next;
        } else {
            self.next[previous as usize] = next;
        }
        if next != NONE {
            self.previous[next as usize] = previous;
        }
    }

    /// Brings the arc from `source` to `sink`, of negative reduced cost `reduced`, into the tree: as much mass as possible goes round the
    /// cycle that it closes, and an arc whose mass becomes 0 leaves.
    pub(super) fn pivot(&mut self, source: u32, sink: u32, reduced: f64) {
        let apex = self.meet(source, sink);
        let (mass, leaving, on_source_side) = self.leaving(source, sink, apex);
        self.push(source, apex, mass);
        self.push(sink, apex, mass);
        self.flow[leaving as usize] = 0.0;
        let (inner, outer, shift) = if on_source_side { (source, sink, reduced) } else { (sink, source, -reduced) };
        self.hang(inner, outer, leaving, mass);
        self.shift(inner, shift);
    }

    fn meet(&self, mut a: u32, mut b: u32) -> u32 {
        while a != b {
            if self.depth[a as usize] >= self.depth[b as usize] {
                a = self.parent(a);
            } else {
                b = self.parent(b);
            }
        }
        a
    }

    /// The arc whose mass limits what can go round, as the node it belongs to. Of several it is the last when the cycle is walked from the apex
    /// in the direction of the mass: this keeps the tree strongly feasible (arcs without mass lead up), so that the method cannot go in circles
    /// (Cunningham 1976).
    fn leaving(&self, source: u32, sink: u32, apex: u32) -> (f64, u32, bool) {
        let (mut least, mut leaving, mut on_source_side) = (f64::INFINITY, source, true);
        let mut node = source;
        while node != apex {
            if self.leads_up(node) && self.flow[node as usize] < least {
                (least, leaving) = (self.flow[node as usize], node);
            }
            node = self.parent(node);
        }
        node = sink;
        while node != apex {
            if !self.leads_up(node) && self.flow[node as usize] <= least {
                (least, leaving, on_source_side) = (self.flow[node as usize], node, false);
            }
            node = self.parent(node);
        }
        (least, leaving, on_source_side)
    }

    /// On the source's side arcs that lead up lose mass; on the sink's side those that lead down.
    fn push(&mut self, from: u32, apex: u32, mass: f64) {
        let loses_up = self.leads_up(from);
        let mut node = from;
        while node != apex {
            let change = if self.leads_up(node) == loses_up { -mass } else { mass };
            self.flow[node as usize] += change;
            node = self.parent(node);
        }
    }

    /// Cuts the subtree of `leaving` off and hangs it by `inner`, which is in it, below `outer`; `mass` is on the new arc.
    fn hang(&mut self, inner: u32, outer: u32, leaving: u32, mass: f64) {
        let (mut node, mut above, mut carried) = (inner, outer, mass);
        loop {
            let old = self.parent(node);
            self.detach(node);
            self.attach(node, above);
            std::mem::swap(&mut self.flow[node as usize], &mut carried);
            if node == leaving {
                return;
            }
            (above, node) = (node, old);
        }
    }

    /// New potentials and depths below `top`.
    fn shift(&mut self, top: u32, by: f64) {
        let mut stack = std::mem::take(&mut self.stack);
        stack.push(top);
        while let Some(node) = stack.pop() {
            self.potential[node as usize] += by;
            self.depth[node as usize] = self.depth[self.parent(node) as usize] + 1;
            let mut child = self.first_child[node as usize];
            while child != NONE {
                stack.push(child);
                child = self.next[child as usize];
            }
        }
        self.stack = stack;
    }

    /// Nodes but the root, parents before children.
    pub(super) fn downward(&self) -> Vec<u32> {
        let mut order = vec![self.root()];
        let mut at = 0;
        while at < order.len() {
            let mut child = self.first_child[order[at] as usize];
            while child != NONE {
                order.push(child);
                child = self.next[child as usize];
            }
            at += 1;
        }
        order.remove(0);
        order
    }
}
