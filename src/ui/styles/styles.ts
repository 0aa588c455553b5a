// All styles of the page, in the order in which they build on each other.
import "./tokens.css";
import "./base.css";
import "./header.css";
import "./empty.css";
import "./chat.css";
import "./turns.css";
import "./markdown.css";
import "./composer.css";
import "./pictures.css";
import "./dialog.css";
import "./settings.css";
import "./models.css";
import "./models-view.css";
import "./compare.css";
import "./photos.css";
import "./sidebar.css";
import "./history.css";
