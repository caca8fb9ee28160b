using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Writes and reads XMP packets. A packet states that a trained model made the picture, and names the program. In containers without a
/// place for the record it also has the record.
/// </summary>
internal static class XmpPacket
{
    /// <summary>IPTC's term for pictures made by a trained model.</summary>
    public const string SourceType = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";

    /// <summary>The keyword of a packet in PNG files.</summary>
    public const string PngKeyword = "XML:com.adobe.xmp";

    private const int LongestPacket = 16 << 20;

    private static readonly XNamespace
        Meta = "adobe:ns:meta/",
        Rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        Xmp = "http://ns.adobe.com/xap/1.0/",
        Iptc = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        Own = "urn:museatelier:picture";

    /// <summary>Creates a packet.</summary>
    /// <param name="software">The program's name.</param>
    /// <param name="record">The record's JSON, or null.</param>
    public static byte[] Write(string software, string? record)
    {
        var description = new XElement(
            Rdf + "Description",
            new XAttribute(Rdf + "about", ""),
            new XAttribute(XNamespace.Xmlns + "xmp", Xmp),
            new XAttribute(XNamespace.Xmlns + "Iptc4xmpExt", Iptc),
            new XElement(Xmp + "CreatorTool", software),
            new XElement(Iptc + "DigitalSourceType", SourceType));
        if (record is not null) description.Add(new XAttribute(XNamespace.Xmlns + "muse", Own), new XElement(Own + "Record", record));
        var root = new XElement(Meta + "xmpmeta", new XAttribute(XNamespace.Xmlns + "x", Meta),
            new XElement(Rdf + "RDF", new XAttribute(XNamespace.Xmlns + "rdf", Rdf), description));
        string text = root.ToString(SaveOptions.DisableFormatting);
        string packet = $"<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>{text}<?xpacket end=\"r\"?>";
        return Encoding.UTF8.GetBytes(packet);
    }

    /// <summary>The record in a packet; null if there is none, or if the packet is not valid XML.</summary>
    public static string? ReadRecord(byte[] packet)
    {
        try
        {
            var settings = new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                MaxCharactersInDocument = LongestPacket,
                ConformanceLevel = ConformanceLevel.Fragment,
            };
            using XmlReader reader = XmlReader.Create(new StringReader(Encoding.UTF8.GetString(packet).TrimStart('\uFEFF').TrimEnd('\0')),
                settings);
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element || reader.NamespaceURI != Own.NamespaceName) continue;
                if (reader.LocalName == "Record") return reader.ReadElementContentAsString();
            }

            return null;
        }
        catch (XmlException)
        {
            // A packet of another program has no record, so its faults do not matter.
            return null;
        }
    }
}
