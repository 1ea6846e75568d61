# Purchases of a shop in order of time, as CSV: -v rows=N -v seed=N
#
# Times ascend, so (customer, purchased_at) is unique; customers come in no order. The numbers come from a generator of
# its own (Lehmer's, modulus 2^31 - 1) and not from rand(), so that the same arguments give the same bytes everywhere.

function draw(limit) {
    state = state * 16807 % 2147483647
    return state % limit
}

function chance(percent) { return draw(100) < percent }

BEGIN {
    split("31 29 31 30 31 30 31 31 30 31 30 31", lengths, " ")
    for (month = 1; month <= 12; month++)
        for (day = 1; day <= lengths[month]; day++) dates[days++] = sprintf("2024-%02d-%02d", month, day)
    channels = split("web app store phone", channel, " ")
    # Some in quotes, some beyond ASCII.
    cities = split("Lyon|Porto|São Paulo|Kraków|\"Washington, D.C.\"|Osaka|Bergen|Malmö", city, "|")
    state = seed
    for (row = 0; row < 20; row++) draw(1)
    print "customer,purchased_at,order_number,units,amount,discount,weight,is_member,is_return,channel,city,store"
    for (row = 0; row < rows; row++) {
        # Spread over 359 days, to the millisecond.
        moment = int((row + draw(1000) / 1000) * 31000000000 / rows)
        seconds = int(moment / 1000) % 86400
        printf "customer-%06d,%sT%02d:%02d:%02d.%03dZ,", draw(50000), dates[int(moment / 86400000)], \
            int(seconds / 3600), int(seconds / 60) % 60, seconds % 60, moment % 1000
        printf "%.0f,%d,%d.%02d,", 7000000000 + row * 3 + draw(3), 1 + draw(12), draw(400), draw(100)
        if (chance(40)) printf "0.%02d", draw(50)
        # Up to 17 digits, as programs write what they measured or computed.
        printf ",%d.%07d%07d,%s,", draw(900), draw(10000000), draw(10000000), chance(50) ? "true" : "false"
        if (chance(80)) printf "%s", chance(5) ? "true" : "false"
        printf ",%s,", channel[1 + draw(channels)]
        if (chance(90)) printf "%s", city[1 + draw(cities)]
        printf ",%d\n", 1 + draw(200)
    }
}
