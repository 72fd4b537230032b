// Number of this thread in a folded grid: workgroups count along x first, then y.
fn thread_number(group: vec3<u32>, groups: vec3<u32>, lanes: u32, lane: u32) -> u32 {
    return (group.y * groups.x + group.x) * lanes + lane;
}
