using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Tests.Pictures;

public sealed class XmpPacketTests
{
    [Fact]
    public void ReadRecord_OfWhatWasWritten_IsTheSame()
    {
        const string record = "{\"prompt\":\"<b> & 夜 🌌 ]]>\"}";
        Assert.Equal(record, XmpPacket.ReadRecord(XmpPacket.Write("MuseAtelier 0.1.0", record)));
        Assert.Null(XmpPacket.ReadRecord(XmpPacket.Write("MuseAtelier 0.1.0", null)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no xml")]
    [InlineData("<a><b></a>")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><Record xmlns=\"urn:museatelier:picture\">&b;</Record>")]
    public void ReadRecord_OfForeignOrHostilePackets_IsNull(string packet) =>
        Assert.Null(XmpPacket.ReadRecord(Encoding.UTF8.GetBytes(packet)));
}
