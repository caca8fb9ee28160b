using System.Xml;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The texts of another program's XMP packet.</summary>
/// <param name="Creator">The program; null if the packet does not name it.</param>
/// <param name="Comment">EXIF's user comment; null if there is none.</param>
internal sealed record XmpText(string? Creator, string? Comment)
{
    // Real packets are shallow. The limit bounds the memory that a hostile one takes.
    private const int DeepestElement = 64;

    private const string Xmp = "http://ns.adobe.com/xap/1.0/";
    private const string Exif = "http://ns.adobe.com/exif/1.0/";

    /// <summary>Reads a packet; null if it is not valid XML, or too long or too deep.</summary>
    public static XmpText? Read(string packet)
    {
        if (packet.Length > ParametersText.Longest) return null;
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            ConformanceLevel = ConformanceLevel.Fragment,
        };
        try
        {
            using XmlReader reader = XmlReader.Create(new StringReader(packet.TrimStart('\uFEFF').TrimEnd('\0')), settings);
            string? creator = null;
            string? comment = null;
            while (reader.Read())
            {
                if (reader.Depth > DeepestElement) return null;
                if (reader.NodeType != XmlNodeType.Element) continue;
                // Each value can be an attribute of the description or an element.
                creator ??= reader.GetAttribute("CreatorTool", Xmp);
                comment ??= reader.GetAttribute("UserComment", Exif);
                if ((reader.LocalName, reader.NamespaceURI) == ("CreatorTool", Xmp)) creator ??= Content(reader);
                else if ((reader.LocalName, reader.NamespaceURI) == ("UserComment", Exif)) comment ??= Content(reader);
            }

            return new XmpText(creator, comment);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    // The text in an element. The text may be inside a list of languages.
    private static string? Content(XmlReader reader)
    {
        if (reader.IsEmptyElement) return null;
        int depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth && reader.Depth <= DeepestElement)
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && !string.IsNullOrWhiteSpace(reader.Value))
                return reader.Value.Trim();
        return null;
    }
}
